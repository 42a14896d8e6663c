/** The programs of test/sandbox in a page: the outcomes are those of Node. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_LIMITS, type PythonCall, type PythonEngine, type PythonResult } from "../../src/sandbox/engine";
import { createNodeSandbox } from "../../src/sandbox/node/sandbox";
import benign from "../sandbox/benign/expected.json" with { type: "json" };
import { limitsOf, SUITE_LIMITS } from "../sandbox/hostile/case";
import { CASES, fault } from "../sandbox/hostile/suite";
import { openSandboxPage, type SandboxPage } from "./sandbox-page";

const folder = mkdtempSync(join(tmpdir(), "browser-canary-"));
const canary = join(folder, "canary");
let opened: SandboxPage;
let inNode: PythonEngine;
let listener: Server;
let connections = 0;
beforeAll(async () => {
  writeFileSync(canary, "sings");
  listener = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  inNode = await createNodeSandbox({ workerCount: 2, memoryMb: SUITE_LIMITS.memoryMb });
  opened = await openSandboxPage({ memoryMb: SUITE_LIMITS.memoryMb });
  expect(opened.state).toBe("ready");
});
afterAll(async () => {
  await opened?.close();
  await inNode?.close();
  listener?.close();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Programs that nest C functions deeper than the stack of a browser's thread, which nobody can choose: Python's own
 * error in Node, where a thread has 32 MiB, may be the end of the interpreter in a page.
 */
const DEEP = /^(?:recursion: |output: stdout that calls itself$|tampering: a trap deep in the stack$)/;
const STACK_END = {
  status: "crash",
  stdout: "",
  stderr: "the interpreter stopped: Maximum call stack size exceeded\n",
  truncated: false,
};

/** What both engines must agree on. */
function outcome({ status, stdout, stderr, truncated }: PythonResult) {
  return { status, stdout, stderr, truncated };
}

test("every benign program prints what CPython prints", async () => {
  const programs = Object.entries(benign);
  const results = await Promise.all(
    programs.map(([, { code }]) => opened.run({ ...DEFAULT_LIMITS, timeoutMs: 60_000, seed: "test", code })),
  );
  expect(programs.map(([name], index) => ({ name, ...outcome(results[index] as PythonResult) }))).toEqual(
    programs.map(([name, { exit, stdout, stderr }]) => {
      return { name, status: exit === 0 ? "ok" : "error", stdout, stderr, truncated: false };
    }),
  );
}, 60_000);

test("every hostile program ends as expected, and as in Node", async () => {
  const { port } = listener.address() as AddressInfo;
  const calls: PythonCall[] = CASES.map((hostile) => ({
    ...limitsOf(hostile),
    code: hostile.code.replaceAll("{{CANARY}}", canary).replaceAll("{{PORT}}", String(port)),
  }));
  const began = performance.now();
  const inPage = await Promise.all(calls.map((call) => opened.run(call)));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`hostile suite in Chromium: ${CASES.length} programs in ${seconds} s`);
  expect(connections).toBe(0);
  expect(readFileSync(canary, "utf8")).toBe("sings");
  expect(readdirSync(folder)).toEqual(["canary"]);
  const expected = await Promise.all(calls.map((call) => inNode.run(call)));
  const deep: string[] = [];
  const faults = CASES.flatMap((hostile, index): unknown[] => {
    const [page, node] = [inPage[index], expected[index]];
    if (page === undefined || node === undefined) return [`${hostile.id}: no result`];
    if (isDeepStrictEqual(outcome(page), outcome(node))) return [fault(hostile, page) ?? []].flat();
    if (DEEP.test(hostile.id) && isDeepStrictEqual(outcome(page), STACK_END)) deep.push(hostile.id);
    else return [{ id: hostile.id, page: outcome(page), node: outcome(node) }];
    return [];
  });
  console.log(`end of the stack in Chromium only: ${deep.length} programs`);
  expect(faults).toEqual([]);
  const after = { ...SUITE_LIMITS, code: "import random\nprint(random.random())" };
  expect(outcome(await opened.run(after))).toEqual(outcome(await inNode.run(after)));
}, 300_000);
