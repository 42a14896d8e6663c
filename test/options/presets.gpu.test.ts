/** The code path of each preset, on a model small enough for many runs. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { presetNames } from "../../src/options/presets";
import { STEPS_TO_LEARN } from "../end-to-end/learning";
import { prepare, tinyRun } from "../train/tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-presets-"));
  await prepare(root);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

/** Those that test/end-to-end does not train with. */
const others = presetNames.filter((name) => name.startsWith("nano") && !(name in STEPS_TO_LEARN));

test.each(others)("%s makes four steps", async (preset) => {
  const { steps, summary } = await tinyRun(root, preset, { values: { preset, maxSteps: 4 } });
  expect(summary).toMatchObject({ outcome: "finished", step: 4 });
  // A critic may begin alone, and a filter may drop all groups of a step.
  expect(steps.some((row) => Number.isFinite(row.grad_norm))).toBe(true);
  for (const row of steps) {
    if (row["train/kept_groups"] !== 0) expect(row.loss).toBeTypeOf("number");
    expect(row["sampling/sampling_logp_difference/max"]).toBe(0);
  }
});

test("mini-batches make one update each, with the log-probs of sampling as old ones", async () => {
  const values = { maxSteps: 1, promptsPerMiniBatch: 1, learningRate: 0.05, epsilon: 0.01 };
  const [row] = (await tinyRun(root, "mini", { values })).steps;
  expect(row?.["sampling/sampling_logp_difference/max"]).toBe(0);
  // Later mini-batches see a policy that has moved.
  expect(row?.["ratio/max"]).toBeGreaterThan(1);
  expect(row?.["clip_ratio/region_mean"]).toBeGreaterThan(0);
});

test("masked trajectories are counted, and without others there is no update", async () => {
  // Nothing is answered in two tokens.
  const short = { maxSteps: 1, maxCompletionLength: 2, maxToolResponseTokens: 1, numGenerations: 4 };
  const [row] = (await tinyRun(root, "masked", { values: { ...short, maskTruncatedCompletions: true } })).steps;
  expect(row?.["masks/truncated"]).toBe(1);
  expect(row?.grad_norm).toBeNull();
});
