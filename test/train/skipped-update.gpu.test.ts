/** Updates that are left out: what is said, what is kept to look into, and when a run ends over them. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Optimizer } from "../../src/model/optimizer";
import { TrainingPass } from "../../src/model/policy-pass";
import { resolveTrainOptions } from "../../src/options/train";
import { nodeRewardPool } from "../../src/platform/node/reward-pool";
import { gradeTrajectory } from "../../src/reward/grade";
import { selectRewards } from "../../src/reward/selection";
import { deterministicPart } from "../../src/session/metrics";
import { readBatch } from "../../src/train/checkpoint";
import { KlControl } from "../../src/train/kl-control";
import { examineTensors, examineTokens, type SkippedUpdate } from "../../src/train/skipped-update";
import { update } from "../../src/train/update";
import { someJob } from "../reward/job";
import { modelContext, modelOf, randomTensors } from "../support/reference/models";
import { deterministicFiles, prepare, TINY, tinyRun } from "./tiny-run";

let root: string;
let file: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-skipped-"));
  await prepare(root);
  file = join(root, "own.mjs");
  await fs.writeFile(file, "export const huge = (batch) => batch.trajectories.map((_, i) => (i % 2) * 1e30);");
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

type Values = Readonly<Record<string, unknown>>;

async function hugeRun(name: string, values: Values) {
  const rewardFuncs = [`${file}:huge`];
  const { builtIn, custom } = selectRewards(rewardFuncs, null);
  const rewards = await nodeRewardPool({ builtIn: { functions: builtIn }, custom, timeoutMs: 10_000 });
  return tinyRun(root, name, { rewards, values: { rewardFuncs, scaleRewards: "none", saveSteps: 2, ...values } });
}

const json = async (name: string, path: string) => JSON.parse(await fs.readFile(join(root, name, path), "utf8"));
const checkpoint = (name: string, step: number) => join(root, name, `checkpoints/step_0000${step}`);
const optimizerSteps = async (name: string, step: number): Promise<number> =>
  (await json(name, `checkpoints/step_0000${step}/trainer_state.json`)).optimizer_step;

/** The snapshots of a run, but for times. */
async function snapshots(name: string): Promise<Record<string, unknown>> {
  const files: Record<string, unknown> = {};
  for (const step of await fs.readdir(join(root, name, "snapshots")))
    for (const each of await fs.readdir(join(root, name, "snapshots", step)))
      if (!["batch.json", "COMPLETE"].includes(each)) {
        const text = await fs.readFile(join(root, name, "snapshots", step, each), "utf8");
        files[`${step}/${each}`] = each === "metrics.json" ? deterministicPart(JSON.parse(text)) : text;
      }
  return files;
}

describe("a reward of 1e30", () => {
  test("changes nothing, is said and kept to look into; the fifth step of it ends the run", async () => {
    await expect(hugeRun("huge", { maxSteps: 9 })).rejects.toMatchObject({
      name: "DivergedError",
      message: expect.stringMatching(/^5 steps in a row changed nothing, since the gradient norm is not finite/),
    });
    const rows = (await fs.readFile(join(root, "huge/metrics.jsonl"), "utf8")).trimEnd().split("\n");
    expect(rows).toHaveLength(5);
    expect(await fs.readdir(join(root, "huge/snapshots"))).toEqual(["step_00001", "step_00002", "step_00003"]);
    expect(await optimizerSteps("huge", 4)).toBe(0);
    const found: { largestAdvantage: number; notFinite: unknown[] }[] = await json(
      "huge",
      "snapshots/step_00002/trajectories.json",
    );
    expect(Math.max(...found.map(({ largestAdvantage }) => largestAdvantage))).toBeCloseTo(5e29, -28);
    expect(found.every(({ notFinite }) => notFinite.length === 0)).toBe(true);
    const gradients: { norm: number; notFinite: number }[] = await json("huge", "snapshots/step_00002/gradients.json");
    expect(Math.max(...gradients.map(({ norm }) => norm))).toBeGreaterThan(1e20);
    const batch = readBatch(await fs.readFile(join(root, "huge/snapshots/step_00002/batch.json"), "utf8"));
    expect(batch).toMatchObject({ step: 2 });
    expect(batch.groups.flat()).toHaveLength(12);
    expect(await json("huge", "snapshots/step_00002/metrics.json")).toMatchObject({ step: 2, grad_norm: null });
    const again = { maxSteps: 9, resumeFromCheckpoint: checkpoint("huge", 4) };
    // Four such steps are in the checkpoint.
    await expect(hugeRun("huge", again)).rejects.toMatchObject({ name: "DivergedError" });
  });

  test("through a resume, leaves the same bytes", async () => {
    const { notices } = await hugeRun("whole", { maxSteps: 4 });
    expect(notices.filter((text) => /gradient norm is not finite, so the weights were left/.test(text))).toHaveLength(
      4,
    );
    const expected = { files: await deterministicFiles(join(root, "whole"), 4), looks: await snapshots("whole") };
    await hugeRun("whole", { maxSteps: 4, resumeFromCheckpoint: checkpoint("whole", 2) });
    expect({ files: await deterministicFiles(join(root, "whole"), 4), looks: await snapshots("whole") }).toEqual(
      expected,
    );
  });
});

test("--skip-grad-norm leaves out the updates above it, the same ones through a resume", async () => {
  const free = await tinyRun(root, "free", { values: { saveSteps: 0 } });
  const norms = free.steps.map((row) => row.grad_norm ?? Number.NaN);
  const bound = ([...norms].sort((a, b) => a - b)[2] ?? Number.NaN) * 0.999;
  const values = { skipGradNorm: bound };
  const { steps, notices } = await tinyRun(root, "bounded", { values });
  const above = steps.filter((row) => (row.grad_norm ?? 0) > bound);
  expect(above.length).toBeGreaterThan(0);
  expect(above.length).toBeLessThan(4);
  expect(await optimizerSteps("bounded", 4)).toBe(4 - above.length);
  expect(notices.filter((text) => text.includes(`is above --skip-grad-norm ${bound}, so the weights`))).toHaveLength(
    above.length,
  );
  const names = above.map(({ step }) => `step_0000${step}`);
  expect(await fs.readdir(join(root, "bounded/snapshots"))).toEqual(names);
  const expected = await deterministicFiles(join(root, "bounded"), 4);
  await tinyRun(root, "bounded", { values: { ...values, resumeFromCheckpoint: checkpoint("bounded", 2) } });
  expect(await deterministicFiles(join(root, "bounded"), 4)).toEqual(expected);
  expect(await fs.readdir(join(root, "bounded/snapshots"))).toEqual(names);
});

test("of two updates on a batch, one is left out", async () => {
  const values = { promptsPerMiniBatch: 2, maxSteps: 1, saveSteps: 1 };
  const free = await tinyRun(root, "two free", { values });
  const bound = free.steps[0]?.grad_norm ?? Number.NaN;
  const { notices } = await tinyRun(root, "two", { values: { ...values, skipGradNorm: bound } });
  expect(notices).toEqual([expect.stringMatching(/so 1 of 2 updates were left out; what to look into is in /)]);
  expect(await optimizerSteps("two", 1)).toBe(1);
});

test("a weight that is infinite is found in its tensor, and in the tokens that it spoils", async () => {
  const gpu = await modelContext();
  const tensors = randomTensors(TINY).map((tensor) => ({ ...tensor, data: tensor.data.slice() }));
  const spoilt = "model.layers.1.mlp.down_proj.weight";
  tensors.find(({ hfName }) => hfName === spoilt)?.data.fill(Number.POSITIVE_INFINITY, 40, 41);
  const model = modelOf(gpu, TINY, tensors);
  const pass = new TrainingPass(model, {
    ...{ rows: 60, sequences: 4, sequenceLength: 24, pageSize: 4 },
    ...{ recompute: false, logitsBytes: 2 ** 20 },
  });
  const options = resolveTrainOptions([
    { source: "the test", spelling: "file", values: { modelNameOrPath: "x", dataset: "x", numGenerations: 2 } },
  ]);
  const kept = [
    [0, 1].map((reward) => {
      const grade = gradeTrajectory({ ...someJob, gold: "1" });
      return {
        question: { prompt: "", answer: "1" },
        prompt: "",
        grade: { ...grade, numbers: { ...grade.numbers, reward } },
        trajectory: {
          ...{ id: reward, groupIndex: 0, sampleIndex: reward, promptIds: Uint32Array.of(1, 2) },
          ...{ ids: Uint32Array.of(3, 4, 5), mask: Uint8Array.of(1, 1, 1), logprobs: new Float32Array(3).fill(-1) },
          ...{
            segments: [],
            toolLog: [],
            policyVersions: [],
            finishReason: "stop" as const,
            modelText: "",
            fullText: "",
          },
        },
      };
    }),
  ];
  const optimizer = new Optimizer(model);
  const seen: { skipped: SkippedUpdate; spoilt: string[] }[] = [];
  const learner = { pass, optimizer, kl: new KlControl(options), destroy: () => {} };
  const result = await update(learner, { kept }, options, 1, {
    onSkipped: async (skipped) => {
      const weights = await examineTensors(model.trained);
      seen.push({ skipped, spoilt: weights.filter(({ notFinite }) => notFinite === 1).map(({ name }) => name) });
    },
  });
  expect(result).toMatchObject({ updates: 1, skipped: 1 });
  expect(optimizer.step).toBe(0);
  expect(seen.map(({ spoilt: names }) => names)).toEqual([[spoilt]]);
  const found = examineTokens(seen[0]?.skipped.tokens ?? []);
  expect(found.map(({ trajectory, tokens }) => [trajectory, tokens])).toEqual([
    [0, 3],
    [1, 3],
  ]);
  expect(found[0]?.notFinite).toContainEqual({ token: 0, figure: "logprobs", value: "NaN" });
  for (const part of [pass, optimizer, model]) part.destroy();
});

test("a KL that is no number leaves beta as it was", () => {
  const control = new KlControl({ beta: 0.05, klTarget: 0.1, klHorizon: 10 });
  control.adapt(Number.NaN, 4);
  expect(control.coefficient).toBe(0.05);
  control.adapt(1, 4);
  expect(control.coefficient).toBeCloseTo(0.05 * 1.08, 12);
});
