/** What the page's host does that needs nothing of a browser but fetch, workers and ports. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { datasetRequest } from "../../src/data/dataset";
import { resolveTrainOptions } from "../../src/options/train";
import { type BrowserTrainingHost, browserTrainingHost } from "../../src/platform/browser/training-host";
import type { FromFrame, ToFrame } from "../../src/sandbox/browser/protocol";
import { type FileServer, fileServer, send } from "./file-server";

const FILES: Readonly<Record<string, Uint8Array>> = {
  "/data/rows.jsonl": new TextEncoder().encode(`{"prompt": "a", "answer": "1"}\n${"\n".repeat(100_000)}`),
  "/data/checkpoints/tiny/config.json": new TextEncoder().encode("{}"),
};
const options = resolveTrainOptions([{ source: "the test", spelling: "flag", values: { preset: "nano" } }]);

let server: FileServer;
let ports: MessageChannel;
let host: BrowserTrainingHost;
beforeEach(async () => {
  server = await fileServer((request, response) => {
    const bytes = request.url?.startsWith("/data/python/") ? new Uint8Array(8) : FILES[request.url ?? ""];
    if (bytes === undefined) response.writeHead(404).end();
    else send(request, response, bytes);
  });
  ports = new MessageChannel();
  host = browserTrainingHost({ base: new URL("/data/", server.origin), sandbox: ports.port1, announce: () => {} });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const port of [ports.port1, ports.port2]) port.close();
  await server.close();
});

test("a page reads data by address, and says what it cannot", async () => {
  const load = (dataset: string, rest = {}) => host.loadDataset(datasetRequest(dataset, "train", rest));
  expect((await load("rows.jsonl")).rows).toEqual([{ prompt: "a", answer: "1", columns: {} }]);
  await expect(load("none.jsonl")).rejects.toThrow(/none\.jsonl: no such file; expected JSONL, JSON or parquet/);
  await expect(load("deepscaler-7k")).rejects.toThrow(/deepscaler-7k: is on no hub; give the address of a file/);
  await expect(load("gsm8k", { offline: true })).rejects.toThrow(/--offline forbids to fetch it/);
});

test("progress is told in bytes, of data and of a model", async () => {
  const told: [string, number, number | undefined][] = [];
  const onProgress = (...progress: (typeof told)[number]) => void told.push(progress);
  await host.loadDataset(datasetRequest("rows.jsonl", "train"), onProgress);
  const size = FILES["/data/rows.jsonl"]?.byteLength;
  const address = `${server.origin}/data/rows.jsonl`;
  expect([told[0], told.at(-1)]).toEqual([
    [address, 0, size],
    [address, size, size],
  ]);
  await host.modelFolder("tiny", { onProgress }).open("config.json");
  expect(told.at(-1)).toEqual(["config.json", 2, 2]);
});

test("a download ends when the run does", async () => {
  const stop = new AbortController();
  const aborted = { name: "AbortError" };
  const loading = host.loadDataset(datasetRequest("rows.jsonl", "train"), () => stop.abort(), stop.signal);
  await expect(loading).rejects.toMatchObject(aborted);
  await expect(host.modelFolder("tiny", { signal: stop.signal }).open("config.json")).rejects.toMatchObject(aborted);
  await expect(host.modelFolder("tiny", { signal: stop.signal }).list()).rejects.toMatchObject(aborted);
});

/** A worker that starts and never answers. */
class SilentWorker {
  static readonly all: SilentWorker[] = [];
  isTerminated = false;
  constructor() {
    SilentWorker.all.push(this);
  }
  set onmessage(take: (event: { data: unknown }) => void) {
    queueMicrotask(() => take({ data: { kind: "ready" } }));
  }
  postMessage(): void {}
  terminate(): void {
    this.isTerminated = true;
  }
}

test("what was opened for a run that failed is closed with the host: graders, Python, and Python on its way", async () => {
  vi.stubGlobal("Worker", SilentWorker);
  vi.stubGlobal("navigator", { hardwareConcurrency: 1 });
  const heard: string[] = [];
  let onStart = () => {};
  const started = new Promise<void>((resolve) => {
    onStart = resolve;
  });
  const closed = new Promise<void>((resolve) => {
    ports.port2.onmessage = ({ data }: MessageEvent<ToFrame>) => {
      heard.push(data.type);
      if (data.type === "start") onStart();
      if (data.type === "close") resolve();
    };
  });
  const say = (message: FromFrame) => ports.port2.postMessage(message);

  const rewards = await host.openRewards(options);
  const grading = rewards.grade({
    ...{ modelText: "1", fullText: "1", gold: "1", executions: 0, executionErrors: 0, lastExecutionFailed: false },
    ...{ finishReason: "stop", modelTokens: 1, totalTokens: 1 },
  });
  const ended = expect(grading).rejects.toThrow("closed");
  say({ type: "open" });
  void host.openPython(options).catch(() => {});
  await started;
  host.close();
  await ended;
  expect(SilentWorker.all.map(({ isTerminated }) => isTerminated)).toEqual([true]);
  say({ type: "ready" });
  await closed;
  expect(heard).toEqual(["start", "close"]);
});
