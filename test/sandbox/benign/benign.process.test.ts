import { afterAll, beforeAll, expect, test } from "vitest";
import type { PythonEngine } from "../../../src/sandbox/engine";
import { createNodeSandbox } from "../../../src/sandbox/node/sandbox";
import { runner } from "../helper";
import expected from "./expected.json" with { type: "json" };

/** Programs of the kind a model writes for mathematics, with what CPython 3.11 on Linux prints (benign/generate.py). */
const PROGRAMS = Object.entries(expected).map(([name, rest]) => ({ name, ...rest }));

let engine: PythonEngine;
const run = runner(() => engine);
beforeAll(async () => {
  engine = await createNodeSandbox();
});
afterAll(() => engine.close());

test.each(PROGRAMS)("$name", async ({ code, exit, stdout, stderr }) => {
  const status = exit === 0 ? "ok" : "error";
  expect(await run(code)).toMatchObject({ status, stdout, stderr, truncated: false });
});
