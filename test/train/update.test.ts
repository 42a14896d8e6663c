/** The gradient of a whole update against the formulas, trajectory by trajectory. */
import { beforeAll, describe, expect, test } from "vitest";
import type { GpuContext } from "../../src/gpu/context";
import type { Model } from "../../src/model/model";
import { Optimizer } from "../../src/model/optimizer";
import { TrainingPass } from "../../src/model/training";
import { gradeTrajectory } from "../../src/reward/grade";
import type { GradedTrajectory } from "../../src/train/collect";
import type { TrainOptions } from "../../src/train/options";
import { resolveTrainOptions } from "../../src/train/resolve-options";
import { update } from "../../src/train/update";
import { someJob } from "../reward/job";
import {
  downloadAll,
  modelContext,
  modelOf,
  Numbers,
  randomTensors,
  relativeNormError,
} from "../support/reference/models";
import { TINY } from "./tiny-run";

let gpu: GpuContext;
let model: Model;
let pass: TrainingPass;

beforeAll(async () => {
  gpu = await modelContext();
  model = modelOf(gpu, TINY, randomTensors(TINY));
  pass = new TrainingPass(model, {
    rows: 120,
    sequences: 12,
    sequenceLength: 24,
    pageSize: 4,
    recompute: false,
    logitsBytes: 2 ** 20,
  });
});

/** Rewards of two groups; the third is all equal. */
const REWARDS = [
  [1, 0, 0, 1],
  [0, 0, 0, 1],
  [1, 1, 1, 1],
];

function sequenceOf({ trajectory }: GradedTrajectory) {
  const ids = Uint32Array.from([...trajectory.promptIds, ...trajectory.ids]);
  return { ids, scored: Uint8Array.from([...new Uint8Array(trajectory.promptIds.length), ...trajectory.mask]) };
}

/** Random trajectories with observations, whose log-probs are those of the model plus `shift`, of alternating sign. */
async function groups(shift = 0): Promise<GradedTrajectory[][]> {
  const numbers = new Numbers(5);
  const made = REWARDS.map((rewards, groupIndex) =>
    rewards.map((reward, sampleIndex): GradedTrajectory => {
      const length = 3 + numbers.below(12);
      const grade = gradeTrajectory({ ...someJob, gold: "1" });
      return {
        question: { prompt: "", answer: "1" },
        prompt: "",
        grade: { ...grade, numbers: { ...grade.numbers, reward, rule_rewards: reward === 1 ? 1 : 0 } },
        trajectory: {
          id: groupIndex * 4 + sampleIndex,
          groupIndex,
          sampleIndex,
          promptIds: Uint32Array.from({ length: 2 + groupIndex }, () => numbers.below(TINY.vocabularySize)),
          ids: Uint32Array.from({ length }, () => numbers.below(TINY.vocabularySize)),
          // The last token is always a sampled one.
          mask: Uint8Array.from({ length }, (_, t) => Number(t === length - 1 || t % 4 < 2)),
          logprobs: new Float32Array(length),
          segments: [],
          toolLog: [],
          finishReason: "stop",
          modelText: "",
          fullText: "",
        },
      };
    }),
  );
  for (const graded of made.flat()) {
    const { logprobs } = await pass.forward([sequenceOf(graded)], 1);
    let at = 0;
    graded.trajectory.mask.forEach((bit, t) => {
      if (bit === 1) graded.trajectory.logprobs[t] = (logprobs[at++] ?? 0) + (t % 2 === 0 ? shift : -shift);
    });
  }
  return made;
}

function optionsOf(values: Record<string, unknown>): TrainOptions {
  return resolveTrainOptions([
    {
      source: "the test",
      spelling: "file",
      values: { modelNameOrPath: "x", dataset: "x", numGenerations: 4, learningRate: 0, ...values },
    },
  ]);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));
const tokens = ({ trajectory }: GradedTrajectory) => trajectory.mask.reduce((sum, bit) => sum + bit, 0);

/** A per trajectory and the weight of its tokens, by the formulas of the papers. */
type Rule = (graded: GradedTrajectory, batch: readonly (readonly GradedTrajectory[])[]) => [number, number];

const groupOf = (graded: GradedTrajectory, batch: readonly (readonly GradedTrajectory[])[]) =>
  batch.find((group) => group.includes(graded)) ?? [];
const rewardsOf = (group: readonly GradedTrajectory[]) => group.map(({ grade }) => grade.numbers.reward);
const grpo: Rule = (graded, batch) => {
  const rewards = rewardsOf(groupOf(graded, batch));
  const centred = graded.grade.numbers.reward - mean(rewards);
  return [centred === 0 ? 0 : centred / (deviation(rewards) + 1e-6), 0];
};
const centred: Rule = (graded, batch) => [graded.grade.numbers.reward - mean(rewardsOf(groupOf(graded, batch))), 0];

async function expectGradient(options: TrainOptions, shift: number, rule: Rule): Promise<void> {
  const batch = await groups(shift);
  const optimizer = new Optimizer(model);
  const result = await update(pass, optimizer, batch, options, 1);
  const actual = await downloadAll(pass.gradients);
  pass.clearGradients();
  const [low, high] = [1 - options.epsilon, 1 + (options.epsilonHigh ?? options.epsilon)];
  for (const graded of batch.flat()) {
    const [advantage, weight] = rule(graded, batch);
    const { logprobs } = await pass.forward([sequenceOf(graded)], 1);
    const old = graded.trajectory.logprobs.filter((_, t) => graded.trajectory.mask[t] === 1);
    const coefficients = logprobs.map((logprob, t) => {
      const ratio = Math.exp(logprob - (old[t] ?? 0));
      const clipped = (advantage > 0 && ratio > high) || (advantage < 0 && ratio < low);
      const dual = options.delta !== null && advantage < 0 && ratio > options.delta;
      return clipped || dual ? 0 : -weight * advantage * ratio;
    });
    pass.backward(coefficients);
  }
  const expected = await downloadAll(pass.gradients);
  for (const [name, gradient] of expected) {
    expect(
      gradient.some((value) => value !== 0),
      name,
    ).toBe(true);
    expect(relativeNormError(actual.get(name) ?? [], gradient), name).toBeLessThan(1e-5);
  }
  const norm = Math.sqrt([...expected.values()].reduce((sum, g) => sum + g.reduce((s, v) => s + v * v, 0), 0));
  expect(result.gradNorm / norm).toBeCloseTo(1, 5);
  for (const graded of batch.flat())
    expect(result.advantages.get(graded.trajectory.id)).toBeCloseTo(rule(graded, batch)[0], 6);
  optimizer.destroy();
}

/** Weighted by tokens over the batch, or by trajectories. */
const tokenMean =
  (rule: Rule): Rule =>
  (graded, batch) => [rule(graded, batch)[0], 1 / batch.flat().reduce((sum, each) => sum + tokens(each), 0)];

describe("the gradient is that of the formula", () => {
  test("GRPO advantages, mean over all tokens (DAPO)", () => expectGradient(optionsOf({}), 0, tokenMean(grpo)));

  test("mean over sequences (GRPO)", () =>
    expectGradient(optionsOf({ lossType: "grpo" }), 0, (graded, batch) => [
      grpo(graded, batch)[0],
      1 / (batch.flat().length * tokens(graded)),
    ]));

  test("centred advantages, a constant length (Dr. GRPO)", () =>
    expectGradient(
      optionsOf({ lossType: "dr_grpo", scaleRewards: "none", maxCompletionLength: 300 }),
      0,
      (graded, batch) => [centred(graded, batch)[0], 1 / (batch.flat().length * 300)],
    ));

  test("REINFORCE++ with a group baseline, whitened over the tokens of the batch", () =>
    expectGradient(
      optionsOf({ advantageEstimator: "reinforce_pp_baseline" }),
      0,
      tokenMean((graded, batch) => {
        const all = batch.flat().map((each) => ({ count: tokens(each), advantage: centred(each, batch)[0] }));
        const total = all.reduce((sum, { count }) => sum + count, 0);
        const centre = all.reduce((sum, { count, advantage }) => sum + count * advantage, 0) / total;
        const variance = all.reduce((sum, { count, advantage }) => sum + count * (advantage - centre) ** 2, 0) / total;
        return [(centred(graded, batch)[0] - centre) / Math.sqrt(variance + 1e-8), 0];
      }),
    ));

  test("off-policy: ratios, clipped on either side", () =>
    expectGradient(optionsOf({ epsilon: 0.2, epsilonHigh: 0.28 }), 0.3, tokenMean(grpo)));

  test("off-policy with a dual clip", () =>
    expectGradient(optionsOf({ epsilon: 0.2, epsilonHigh: 0.28, delta: 1.3 }), 0.3, tokenMean(grpo)));
});

test("off-policy figures: share of clipped tokens, log-prob difference", async () => {
  const optimizer = new Optimizer(model);
  const batch = await groups(0.3);
  const result = await update(pass, optimizer, batch, optionsOf({}), 1);
  expect(result.logprobDifferenceMax).toBeCloseTo(0.3, 5);
  expect(result.logprobDifferenceMean).toBeCloseTo(0.3, 5);
  expect(result.totals.clippedHigh).toBeGreaterThan(0);
  expect(result.totals.clippedLow).toBeGreaterThan(0);
  const sampled = batch.flat().reduce((sum, each) => sum + tokens(each), 0);
  expect(result.totals.tokens).toBe(sampled);
  optimizer.destroy();
});

test("groups outside the bounds have no advantage and no share in the mean over tokens", async () => {
  const optimizer = new Optimizer(model);
  const batch = await groups();
  const result = await update(pass, optimizer, batch, optionsOf({ groupFilterMin: 0.3, groupFilterMax: 0.9 }), 1);
  expect(result.kept).toEqual([batch[0]]);
  expect([...result.advantages.keys()]).toEqual([0, 1, 2, 3]);
  const alone = await update(pass, optimizer, batch.slice(0, 1), optionsOf({}), 1);
  expect(result.gradNorm).toBe(alone.gradNorm);
  expect(result.totals).toEqual(alone.totals);
  optimizer.destroy();
});

test("one optimizer step on one micro-batch of a model shaped as nano: dispatches, submits and readbacks", async () => {
  const nano = modelOf(gpu, { ...TINY, tiedEmbeddings: true }, randomTensors({ ...TINY, tiedEmbeddings: true }));
  const trainer = new TrainingPass(nano, pass.shape);
  const optimizer = new Optimizer(nano);
  const batch = await groups(0.3);
  await update(trainer, optimizer, batch, optionsOf({}), 1);
  const before = { ...gpu.recorder.counters };
  await update(trainer, optimizer, batch, optionsOf({}), 2);
  const after = gpu.recorder.counters;
  expect({
    dispatches: after.dispatches - before.dispatches,
    submits: after.submits - before.submits,
    readbacks: after.readbacks - before.readbacks,
    bindGroups: after.bindGroups - before.bindGroups,
  }).toEqual({ dispatches: 72, submits: 3, readbacks: 2, bindGroups: 0 });
  for (const part of [trainer, optimizer, nano]) part.destroy();
});
