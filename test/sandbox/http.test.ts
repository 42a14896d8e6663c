import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { DEFAULT_LIMITS, type PythonCall, type PythonEngine } from "../../src/sandbox/engine";
import { createHttpEngine, type HttpEngineOptions } from "../../src/sandbox/http/engine";

interface Asked {
  code: string;
  request_id: string;
  [field: string]: unknown;
}

/** What the service does with a request whose code is not the self-test's; `count` is 1 for its first try. */
type Answer = (asked: Asked, count: number, response: ServerResponse, request: IncomingMessage) => unknown;

const opened: { engines: PythonEngine[]; servers: Server[] } = { engines: [], servers: [] };
afterEach(async () => {
  for (const engine of opened.engines.splice(0)) await engine.close();
  for (const server of opened.servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const ran = (stdout: string, fields: object = {}) => ({
  status: "Success",
  message: "",
  compile_result: null,
  run_result: { status: "Finished", execution_time: 0.01, return_code: 0, stdout, stderr: "" },
  ...fields,
});

const failed = (status: string, stderr = "", stdout = "") =>
  ran("", { status: "Failed", run_result: { status, return_code: 1, stdout, stderr } });

async function service(answer: Answer): Promise<string> {
  const counts = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const asked: Asked = JSON.parse(await text(request));
    const send = (value: unknown) => response.end(JSON.stringify(value));
    if (asked.code === "print(1 + 1)") return send(ran("2\n"));
    const count = (counts.get(asked.code) ?? 0) + 1;
    counts.set(asked.code, count);
    const value = await answer(asked, count, response, request);
    if (!response.writableEnded && value !== undefined) send(value);
  });
  opened.servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function open(answer: Answer, options: Partial<HttpEngineOptions> = {}): Promise<PythonEngine> {
  const engine = await createHttpEngine({ url: await service(answer), firstWaitMs: 2, ...options });
  opened.engines.push(engine);
  return engine;
}

const call = (code: string, limits: Partial<PythonCall> = {}): PythonCall => ({
  ...DEFAULT_LIMITS,
  seed: "1",
  ...limits,
  code,
});

describe("a call", () => {
  test("is the protocol's request", async () => {
    let seen: { asked: Asked; method: string | undefined; path: string | undefined; header: unknown } | undefined;
    const engine = await open((asked, _count, _response, { method, url, headers }) => {
      seen = { asked, method, path: url, header: headers["x-request-id"] };
      return ran("ok");
    });
    await engine.run(call("x", { timeoutMs: 1500, memoryMb: 300 }));
    expect(seen).toMatchObject({
      method: "POST",
      path: "/run_code",
      asked: {
        code: "x",
        language: "python",
        compile_timeout: 10,
        run_timeout: 1.5,
        memory_limit_MB: 300,
        stdin: null,
      },
    });
    expect(seen?.header).toBe(seen?.asked.request_id);
  });

  test.each([
    ["Success", ran("6\n"), { status: "ok", stdout: "6\n" }],
    ["an exception", failed("Finished", "Traceback\nNameError: x\n", "a\n"), { status: "error", stdout: "a\n" }],
    ["a MemoryError", failed("Finished", "Traceback\nMemoryError\n"), { status: "oom" }],
    ["a mention of one", failed("Finished", "MemoryError\nValueError: x\n"), { status: "error" }],
    ["a time limit", failed("TimeLimitExceeded"), { status: "timeout" }],
    ["SandboxError", { ...failed("Error"), status: "SandboxError", message: "no pod" }, { status: "crash" }],
    ["no status", {}, { status: "crash" }],
    ["a list", [], { status: "crash" }],
    ["null", null, { status: "crash" }],
  ])("%s", async (_name, answer, result) => {
    const engine = await open(() => answer);
    expect(await engine.run(call("x"))).toMatchObject(result);
  });

  test("whose answer belongs to another request is tried again; a service without the field is believed", async () => {
    const engine = await open(({ request_id, code }, count) =>
      ran(`${count}`, code === "echo" ? { request_id: count === 1 ? "other" : request_id } : {}),
    );
    expect((await engine.run(call("echo"))).stdout).toBe("2");
    expect((await engine.run(call("none"))).stdout).toBe("1");
  });

  test("keeps both ends of long output, and does not read without end", async () => {
    const engine = await open(({ code }, _count, response) => {
      if (code === "long") return ran("x".repeat(5000));
      const piece = "y".repeat(65_536);
      const more = () => {
        while (!response.destroyed) if (!response.write(piece)) return void response.once("drain", more);
      };
      more();
      return undefined;
    });
    const long = await engine.run(call("long", { maxOutputBytes: 100 }));
    expect(long).toMatchObject({ status: "ok", truncated: true });
    expect(long.stdout).toContain("[4900 bytes left out]");
    expect(await engine.run(call("flood", { maxOutputBytes: 100 }))).toMatchObject({ status: "output_limit" });
  });
});

describe("a failing service", () => {
  test.each<[string, Answer]>([
    ["status 500", (_asked, _count, response) => void response.writeHead(500).end("no")],
    ["status 429", (_asked, _count, response) => void response.writeHead(429).end("no")],
    ["broken JSON", (_asked, _count, response) => void response.end('{"status": "Succ')],
    ["a cut connection", (_asked, _count, response) => void response.destroy()],
    ["SandboxError", () => ({ status: "SandboxError" })],
  ])("%s: the next try counts, and three are made", async (_name, fault) => {
    let tries = 0;
    const engine = await open((asked, count, response, request) => {
      tries++;
      return asked.code === "once" && count > 1 ? ran("back") : fault(asked, count, response, request);
    });
    expect(await engine.run(call("once"))).toMatchObject({ status: "ok", stdout: "back" });
    expect(tries).toBe(2);
    expect(await engine.run(call("always"))).toMatchObject({
      status: "crash",
      stderr: expect.stringMatching(/^the Python service failed: .+\n$/),
    });
    expect(tries).toBe(5);
  });

  test("a refusal such as 404 is not tried again", async () => {
    let tries = 0;
    const engine = await open((_asked, _count, response) => {
      tries++;
      response.writeHead(404).end();
    });
    expect(await engine.run(call("x"))).toMatchObject({ status: "crash", stderr: expect.stringContaining("404") });
    expect(tries).toBe(1);
  });

  test("one that never answers is given up", async () => {
    const engine = await open(() => undefined, { graceMs: 60 });
    const result = await engine.run(call("x", { timeoutMs: 40 }));
    expect(result).toMatchObject({ status: "crash", stderr: "the Python service failed: no answer in time\n" });
    // Timers may fire a millisecond early by this clock.
    expect(result.ms).toBeGreaterThan(95);
  });

  test("a slow one is waited for", async () => {
    const engine = await open(() => new Promise((resolve) => setTimeout(() => resolve(ran("late")), 100)));
    expect(await engine.run(call("x", { timeoutMs: 10 }))).toMatchObject({ status: "ok", stdout: "late" });
  });
});

test("calls over the limit wait, and the wait is not run time", async () => {
  let atOnce = 0;
  let most = 0;
  const engine = await open(
    async () => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 30));
      atOnce--;
      return ran("x");
    },
    { concurrency: 2 },
  );
  const began = performance.now();
  const runs = Array.from({ length: 6 }, (_, i) => engine.run(call(`${i}`)));
  expect(engine.waiting()).toEqual({ running: 2, queued: 4 });
  const results = await Promise.all(runs);
  const elapsed = performance.now() - began;
  expect(most).toBe(2);
  expect(results[5]?.queueMs).toBeGreaterThan(50);
  for (const { ms, queueMs } of results) expect(ms + queueMs).toBeLessThanOrEqual(elapsed);
  expect(engine.waiting()).toEqual({ running: 0, queued: 0 });
});

test("close ends what runs, what waits and what is between two tries", async () => {
  const arrived = new Set<string>();
  const engine = await open(
    ({ code }, _count, response) => {
      arrived.add(code);
      return code === "500" ? response.writeHead(500).end() : undefined;
    },
    {
      concurrency: 2,
      firstWaitMs: 60_000,
      graceMs: 600_000,
    },
  );
  const runs = ["hang", "500", "queued"].map((code) => engine.run(call(code)));
  await vi.waitUntil(() => arrived.size === 2, { timeout: 30_000 });
  await engine.close();
  for (const run of runs)
    expect(await run).toMatchObject({ status: "crash", stderr: "the Python engine was closed\n" });
  expect([...arrived].sort()).toEqual(["500", "hang"]);
  await expect(engine.run(call("x"))).rejects.toThrow("closed");
});

describe("at its start", () => {
  test.each(["localhost:8080", "ftp://x", "", "no"])("%j is no address", async (url) => {
    await expect(createHttpEngine({ url })).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(/not an address; expected one such as http/),
    });
  });

  test("a service that is not there, or is another, is told in one sentence", async () => {
    const url = await service(() => undefined);
    await new Promise((resolve) => opened.servers.splice(0)[0]?.close(resolve));
    await expect(createHttpEngine({ url, firstWaitMs: 1 })).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(/print\(1 \+ 1\) gave crash .*ECONNREFUSED.*; expected a SandboxFusion service/),
    });
    const other = createServer((_request, response) => void response.end("<html>"));
    opened.servers.push(other);
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(other.address() as AddressInfo).port}/api/`;
    await expect(createHttpEngine({ url: address, firstWaitMs: 1 })).rejects.toThrow(/not JSON/);
  });
});
