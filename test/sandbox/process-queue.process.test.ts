/** The trainer's side of the queue, against a sandbox process made by hand that tells in which order calls reach it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { createNodeSandbox, type NodeSandbox } from "../../src/sandbox/node/sandbox";
import { runner } from "./helper";

const folder = mkdtempSync(join(tmpdir(), "queue-"));
let engine: NodeSandbox | undefined;
afterEach(() => engine?.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Answers each call with its place in the order of arrival, after the milliseconds that its program names; `die` ends
 * it.
 */
const PROCESS = `
let arrived = 0;
let running = 0;
process.on("message", ({ type, id, call }) => {
  if (type === "init") return process.send({ type: "ready" });
  if (call.code === "die") process.exit(3);
  const answer = { place: arrived++, running: ++running };
  const times = { ms: Number(call.code), queueMs: 0 };
  setTimeout(() => {
    running--;
    const result = { status: "ok", stdout: JSON.stringify(answer), stderr: "", truncated: false, ...times };
    process.send({ type: "result", id, result });
  }, times.ms);
});
`;

async function start(workerCount: number): Promise<NodeSandbox> {
  const childPath = join(folder, "child.mjs");
  writeFileSync(childPath, PROCESS);
  engine = await createNodeSandbox({ workerCount, childPath });
  return engine;
}

test("of 1,000 calls at once none waits for a later one, few run at a time, and waiting is no timeout", async () => {
  const sandbox = await start(3);
  const run = runner(() => sandbox);
  // 30 of them are slow, and together the calls take far longer than one may: 20 ms.
  const calls = Array.from({ length: 1000 }, (_, i) => run(i % 33 === 0 ? "15" : "0", { timeoutMs: 20 }));
  expect(sandbox.waiting()).toEqual({ running: 3, queued: 997 });
  const results = await Promise.all(calls);
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["ok"]));
  const seen = results.map(({ stdout }): { place: number; running: number } => JSON.parse(stdout));
  expect(seen.map(({ place }) => place)).toEqual(seen.map((_, i) => i));
  expect(Math.max(...seen.map(({ running }) => running))).toBe(3);
  expect(results.at(-1)?.queueMs).toBeGreaterThan(100);
  expect(sandbox.waiting()).toEqual({ running: 0, queued: 0 });
  expect(sandbox.statistics()).toMatchObject({ calls: 1000, ok: 1000, retries: 0, processesLost: 0 });
});

test("a trajectory that asks again and again is served in turn with 50 that wait, though they came with it", async () => {
  const sandbox = await start(1);
  const run = runner(() => sandbox);
  const order: string[] = [];
  const trajectory = async (name: string, calls: number) => {
    for (let i = 0; i < calls; i++) {
      await run("0", { seed: `7/${name}/${i}` });
      order.push(name);
    }
  };
  await Promise.all([trajectory("busy", 20), ...Array.from({ length: 50 }, (_, i) => trajectory(`${i}`, 2))]);
  // Between two calls of one trajectory every other that waited has had its turn: all first calls, then all second
  // ones.
  expect(order.slice(0, 51)).toEqual(["busy", ...Array.from({ length: 50 }, (_, i) => `${i}`)]);
  expect(order.slice(51, 102)).toEqual(order.slice(0, 51));
});

test("a call that takes its process with it twice is a crash; those beside it and behind it are answered", async () => {
  const sandbox = await start(2);
  const run = runner(() => sandbox);
  const [beside, deadly, ...behind] = await Promise.all([run("500"), run("die"), run("0"), run("0"), run("0")]);
  expect(deadly).toMatchObject({ status: "crash", stderr: "the Python sandbox process died: exit code 3\n" });
  expect(behind.map(({ status }) => status)).toEqual(["ok", "ok", "ok"]);
  expect(beside?.status).toBe("ok");
  expect(sandbox.statistics()).toMatchObject({ calls: 5, ok: 4, crashes: 1, processesLost: 2 });
});
