/** The page's way to data sets needs nothing of a browser but fetch. */
import { expect, test } from "vitest";
import { datasetRequest } from "../../src/data/dataset";
import { browserTrainingHost } from "../../src/platform/browser/training-host";
import { fileServer, send } from "./file-server";

test("a page reads data by address, and says what it cannot", async () => {
  const rows = new TextEncoder().encode('{"prompt": "a", "answer": "1"}\n');
  const server = await fileServer((request, response) =>
    request.url === "/data/rows.jsonl" ? send(request, response, rows) : void response.writeHead(404).end(),
  );
  const { port1, port2 } = new MessageChannel();
  try {
    const host = browserTrainingHost({ base: new URL("/data/", server.origin), sandbox: port1, announce: () => {} });
    const load = (dataset: string, rest = {}) => host.loadDataset(datasetRequest(dataset, "train", rest));
    expect((await load("rows.jsonl")).rows).toEqual([{ prompt: "a", answer: "1", columns: {} }]);
    await expect(load("none.jsonl")).rejects.toThrow(/none\.jsonl: no such file; expected JSONL, JSON or parquet/);
    await expect(load("deepscaler-7k")).rejects.toThrow(/deepscaler-7k: is on no hub; give the address of a file/);
    await expect(load("gsm8k", { offline: true })).rejects.toThrow(/--offline forbids to fetch it/);
  } finally {
    for (const port of [port1, port2]) port.close();
    await server.close();
  }
});
