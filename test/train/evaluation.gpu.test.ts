/** Evaluation while training: what it leaves, and that training does not notice it. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { trajectoryTable } from "../../src/session/metrics";
import { deterministicFiles, prepare, tinyRun } from "./tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-evaluation-"));
  await prepare(root);
  await fs.copyFile(join(root, "questions.jsonl"), join(root, "held.jsonl"));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const values = () => ({
  evalDataset: join(root, "held.jsonl"),
  evalSamples: 6,
  evalSteps: 2,
  numGenerationsEval: 3,
});
const rows = async (path: string): Promise<Record<string, number>[]> =>
  (await fs.readFile(join(path, "evaluation.jsonl"), "utf8"))
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const KEYS = ["avg@3", "code_ratio", "greedy", "greedy_code_ratio", "pass@3"].map((name) => `eval/held/${name}`);

describe("--eval-steps", () => {
  test("leaves figures by step, in metrics.jsonl too, and training byte for byte as without it", async () => {
    const plain = await tinyRun(root, "plain");
    const run = await tinyRun(root, "evaluated", { values: values() });
    const evaluated = await rows(run.path);
    expect(evaluated.map(({ step }) => step)).toEqual([0, 2, 4]);
    for (const row of evaluated) {
      expect(Object.keys(row)).toEqual(["step", ...KEYS]);
      for (const key of KEYS) expect(row[key]).toBeLessThanOrEqual(1);
      expect(row["eval/held/pass@3"]).toBeGreaterThanOrEqual(row["eval/held/avg@3"] ?? 1);
    }
    // The model learns, so the figures are not all the same.
    expect(evaluated[2]).not.toEqual({ ...evaluated[0], step: 4 });
    expect(run.steps.map((row) => KEYS.every((key) => key in row))).toEqual([false, true, false, true]);
    expect(run.steps[1]).toMatchObject(evaluated[1] ?? {});
    expect(run.summary.evaluations).toEqual(evaluated);
    expect(run.summary.table[0]).toMatchObject({
      before: evaluated[0]?.["eval/held/greedy"],
      after: evaluated[2]?.["eval/held/greedy"],
    });
    expect(run.notices.join()).toMatch(/step 2, held: accuracy [\d.]+% greedy, [\d.]+% sampled/);
    expect((await fs.readFile(join(run.path, "evaluation.md"), "utf8")).split("\n")[0]).toBe("| step | 0 | 2 | 4 |");

    const [without, withIt] = [await deterministicFiles(plain.path, 4), await deterministicFiles(run.path, 4)];
    const training = (text = "") => text.replaceAll(/"eval\/[^,}]*,/g, "");
    expect(training(withIt["metrics.jsonl"])).toBe(without["metrics.jsonl"]);
    expect({ ...withIt, "metrics.jsonl": "" }).toEqual({ ...without, "metrics.jsonl": "" });
  });

  test("a resumed run has the rows of one that never stopped", async () => {
    const whole = await tinyRun(root, "whole", { values: values() });
    await tinyRun(root, "resumed", { values: { ...values(), maxSteps: 3 } });
    const from = join(root, "resumed/checkpoints/step_00002");
    const resumed = await tinyRun(root, "resumed", { values: { ...values(), resumeFromCheckpoint: from } });
    expect(await rows(resumed.path)).toEqual(await rows(whole.path));
    expect(resumed.summary.evaluations).toEqual(whole.summary.evaluations);
  });

  test("without held-out samples is refused", async () => {
    await expect(tinyRun(root, "refused", { values: { evalSteps: 2, evalSamples: 0 } })).rejects.toThrow(
      /--eval-steps is 2, but --eval-samples is 0/,
    );
  });
});

test("on a nano benchmark by name", async () => {
  const { path } = await tinyRun(root, "mul", { values: { evalDataset: "nano-mul", evalSamples: 2, maxSteps: 1 } });
  expect(Object.keys((await rows(path))[0] ?? {})).toContain("eval/nano-mul/greedy");
});

test("too few rows to hold any out: a word instead of an empty table", async () => {
  const { notices, summary } = await tinyRun(root, "few", { values: { evalSamples: 4, maxSteps: 1 } });
  expect(notices.join()).toMatch(/questions\.jsonl has 12 rows, too few to hold one in 20 out, .*--eval-dataset/);
  expect(summary.table).toEqual([]);
});

test("the trajectory table: a step without a figure has an empty cell", () => {
  const table = trajectoryTable([
    { step: 0, "eval/a/greedy": 0.25 },
    { step: 5, "eval/a/greedy": 0.5, "eval/b/greedy": 1 },
  ]);
  expect(table.split("\n")).toEqual([
    "| step | 0 | 5 |",
    "| --- | --: | --: |",
    "| a/greedy | 25.00 | 50.00 |",
    "| b/greedy |  | 100.00 |",
    "",
  ]);
});
