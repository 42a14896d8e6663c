/** Runs with moments of 8 bits: resumed to the byte, and beside f32. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deterministicFiles, prepare, tinyRun } from "./tiny-run";

let root = "";
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-adamw-8bit-"));
  await prepare(root);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const values = { optim: "adamw_8bit", saveSteps: 3, maxSteps: 6 };

test("three steps, a resume and three are the same six, byte for byte", async () => {
  await tinyRun(root, "whole", { values });
  await tinyRun(root, "parts", { values: { ...values, maxSteps: 3 } });
  const resumeFromCheckpoint = join(root, "parts/checkpoints/step_00003");
  await tinyRun(root, "parts", { values: { ...values, resumeFromCheckpoint } });
  expect(await deterministicFiles(join(root, "parts"), 6)).toEqual(await deterministicFiles(join(root, "whole"), 6));
});

test("the moments of a run are those of 8 bits, not f32", async () => {
  await tinyRun(root, "f32", { values: { ...values, optim: "adamw" } });
  const moments = (run: string) => fs.readFile(join(root, run, "checkpoints/step_00003/optimizer.safetensors"));
  expect((await moments("whole")).equals(await moments("f32"))).toBe(false);
});
