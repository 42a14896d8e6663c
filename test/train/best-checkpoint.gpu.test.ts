/** The best checkpoint by a metric: kept, named, and the same through a resume. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resolveTrainOptions } from "../../src/options/train";
import { resumePoint } from "../../src/platform/node/run-place";
import { type BestCheckpoint, bestOf, missingMetric, readBest } from "../../src/session/best-checkpoint";
import type { MetricsRow } from "../../src/session/metrics";
import { deterministicFiles, prepare, tinyRun } from "./tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-best-"));
  await prepare(root);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const greatest = { metricForBestModel: "reward", greaterIsBetter: true };
const least = { metricForBestModel: "reward", greaterIsBetter: false };
const named = (step: number, value: number, greater = true): BestCheckpoint => ({
  ...{ step, metric: "reward", value },
  greater_is_better: greater,
});

describe("of two", () => {
  test.each<[string, BestCheckpoint | undefined, MetricsRow, typeof greatest, BestCheckpoint | undefined]>([
    ["the first", undefined, { step: 2, reward: 0 }, greatest, named(2, 0)],
    ["the greater", named(2, 0.5), { step: 4, reward: 0.6 }, greatest, named(4, 0.6)],
    ["the smaller, where that is better", named(2, 0.5, false), { step: 4, reward: 0.4 }, least, named(4, 0.4, false)],
    ["the earlier of equal ones", named(2, 0.5), { step: 4, reward: 0.5 }, greatest, named(2, 0.5)],
    ["the one with a figure", named(2, 0.5), { step: 4, reward: null }, greatest, named(2, 0.5)],
    ["not one by another direction", named(2, 0.5), { step: 4, reward: 0.7 }, least, named(4, 0.7, false)],
    ["none without a figure", undefined, { step: 4, loss: 1 }, greatest, undefined],
  ])("%s", (_, before, row, options, expected) => {
    expect(bestOf(before, row, options)).toEqual(expected);
  });
});

test("without a metric there is none", () => {
  expect(bestOf(named(2, 1), { step: 4, reward: 2 }, { metricForBestModel: null, greaterIsBetter: true })).toBe(
    undefined,
  );
});

test("a metric that a row lacks: the nearest and all names", () => {
  expect(missingMetric({ step: 3, reward: 1, loss: null }, "loss")).toBeUndefined();
  expect(missingMetric({ step: 3, reward: 1, loss: 0 }, "rewad")).toMatch(
    /^--metric-for-best-model rewad: step 3 has no such metric.*nearest name is reward \(there are loss, reward\)$/,
  );
});

test("a metric of evaluations needs one at every checkpoint", () => {
  const resolve = (more: Record<string, unknown>) =>
    resolveTrainOptions([
      {
        source: "the test",
        spelling: "flag",
        values: { modelNameOrPath: "x", dataset: "x", metricForBestModel: "eval/x/greedy", ...more },
      },
    ]);
  expect(() => resolve({})).toThrow(/metric-for-best-model .* a multiple of --eval-steps 0/);
  expect(() => resolve({ evalSteps: 20, saveSteps: 50 })).toThrow(/make --save-steps 50 a multiple of --eval-steps 20/);
  expect(resolve({ evalSteps: 20, saveSteps: 40 }).metricForBestModel).toBe("eval/x/greedy");
});

const checkpoints = async (name: string) => (await fs.readdir(join(root, name, "checkpoints"))).sort();
const bestFile = (name: string) => fs.readFile(join(root, name, "checkpoints/best.json"), "utf8");
const folderOf = (step: number) => `step_0000${step}`;

describe.each([
  { metric: "reward", greater: true },
  { metric: "entropy", greater: false },
  { metric: "reward", greater: false },
])("$metric, greater is better: $greater", ({ metric, greater }) => {
  const name = `${metric} ${greater}`;
  const values = {
    ...{ metricForBestModel: metric, greaterIsBetter: greater, maxSteps: 6, saveSteps: 1, saveTotalLimit: 1 },
    ...{ promptsPerStep: 2, numGenerations: 3 },
  };

  test("is kept beside the newest and named; through a resume it is the same", async () => {
    const { steps, summary } = await tinyRun(root, `whole ${name}`, { values });
    const figures = steps.map((row) => new Map<string, unknown>(Object.entries(row)).get(metric)).map(Number);
    const value = greater ? Math.max(...figures) : Math.min(...figures);
    const step = figures.indexOf(value) + 1;
    expect(await checkpoints(`whole ${name}`)).toEqual([...new Set(["best.json", folderOf(step), folderOf(6)])].sort());
    expect(readBest(await bestFile(`whole ${name}`), "")).toEqual({ step, metric, value, greater_is_better: greater });
    const path = join(root, `whole ${name}`, "checkpoints", folderOf(step));
    expect(summary.best).toMatchObject({ step, metric, value, path });
    expect(await resumePoint("best", join(root, `whole ${name}`))).toMatchObject({ checkpoint: path });
    await tinyRun(root, `two ${name}`, { values: { ...values, maxSteps: 3 } });
    // What was written after the checkpoint that is resumed does not count.
    await fs.writeFile(join(root, `two ${name}`, "checkpoints/best.json"), "{}");
    const resumeFromCheckpoint = join(root, `two ${name}`, "checkpoints", folderOf(3));
    await tinyRun(root, `two ${name}`, { values: { ...values, resumeFromCheckpoint } });
    expect(await bestFile(`two ${name}`)).toBe(await bestFile(`whole ${name}`));
    expect(await checkpoints(`two ${name}`)).toEqual(await checkpoints(`whole ${name}`));
    expect(await deterministicFiles(join(root, `two ${name}`), 6)).toEqual(
      await deterministicFiles(join(root, `whole ${name}`), 6),
    );
  });
});

test("a checkpoint that only a stopped run has is never the best", async () => {
  const values = { metricForBestModel: "num_tokens", maxSteps: 6, saveSteps: 3, promptsPerStep: 2, numGenerations: 3 };
  const stop = new AbortController();
  const { summary } = await tinyRun(root, "stopped", {
    values,
    signal: stop.signal,
    events: { onStep: ({ step }) => void (step === 4 && stop.abort()) },
  });
  expect(summary).toMatchObject({ outcome: "interrupted", step: 4, best: { step: 3 } });
  await tinyRun(root, "stopped", { values: { ...values, resumeFromCheckpoint: summary.checkpoint } });
  expect(readBest(await bestFile("stopped"), "").step).toBe(6);
});

test("an unknown metric is said once, at the first save", async () => {
  const values = { metricForBestModel: "rewards", saveSteps: 1, maxSteps: 2, promptsPerStep: 2, numGenerations: 3 };
  const { notices, summary } = await tinyRun(root, "unknown", { values });
  expect(notices).toEqual([expect.stringMatching(/^--metric-for-best-model rewards: .*nearest name is reward /)]);
  expect(summary.best).toBeUndefined();
  await expect(resumePoint("best", join(root, "unknown"))).rejects.toThrow(/best\.json: no such file; a run has it/);
});

test("best needs a run folder, and a checkpoint that is there", async () => {
  await expect(resumePoint("best", null)).rejects.toThrow(/best needs --output-dir/);
  await fs.mkdir(join(root, "gone/checkpoints"), { recursive: true });
  const text = JSON.stringify({ step: 7, metric: "reward", value: 1, greater_is_better: true });
  await fs.writeFile(join(root, "gone/checkpoints/best.json"), text);
  await expect(resumePoint("best", join(root, "gone"))).rejects.toThrow(
    /step_00007: is the best checkpoint by .*best\.json, but not a complete one/,
  );
  await fs.writeFile(join(root, "gone/checkpoints/best.json"), text.slice(0, 9));
  await expect(resumePoint("best", join(root, "gone"))).rejects.toThrow(/best\.json: not the file that was written/);
});
