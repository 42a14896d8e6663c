import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_LIMITS, type PythonCall, type PythonEngine, type PythonResult } from "../../src/sandbox/engine";
import { createNodeSandbox } from "../../src/sandbox/node/pool";

let engine: PythonEngine;
beforeAll(async () => {
  engine = await createNodeSandbox({ workerCount: 2 });
});
afterAll(() => engine.close());

function run(code: string, limits: Partial<PythonCall> = {}): Promise<PythonResult> {
  return engine.run({ ...DEFAULT_LIMITS, timeoutMs: 30_000, seed: "test", ...limits, code });
}

test.each([
  ["print", "print(1+1)", "2\n"],
  ["no output", "x = 1", ""],
  ["fractions", "from fractions import Fraction\nprint(Fraction(1, 3) + Fraction(1, 6))", "1/2\n"],
])("%s", async (_name, code, stdout) => {
  expect(await run(code)).toMatchObject({ status: "ok", stdout, stderr: "", truncated: false });
});
