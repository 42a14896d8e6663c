/** The gradient of a whole update against the formulas, trajectory by trajectory. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Model } from "../../src/model/model";
import { Optimizer } from "../../src/model/optimizer";
import { type ScoringPass, TrainingPass } from "../../src/model/policy-pass";
import type { TrainOptions } from "../../src/options/train";
import type { GradedTrajectory } from "../../src/session/collect";
import { KlControl } from "../../src/train/kl-control";
import type { Learner } from "../../src/train/learner";
import { update } from "../../src/train/update";
import { downloadAll, modelOf, randomTensors, relativeNormError } from "../support/reference/models";
import { gradedGroups, optionsOf, sequenceOf, smallModel } from "./graded-batch";
import { TINY } from "./tiny-run";

let model: Model;
let pass: TrainingPass;
let reference: ScoringPass;
const groups = (shift = 0) => gradedGroups(pass, shift);

beforeAll(async () => {
  ({ model, pass, reference } = await smallModel());
});

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

const learnerOf = (own: TrainingPass, optimizer: Optimizer, options = optionsOf({})): Learner => ({
  pass: own,
  optimizer,
  kl: new KlControl(options),
  ...(options.beta !== 0 && { reference }),
});

/** Derivative of a KL term by a token's log-prob, from it and the reference's. */
type KlSlope = (logprob: number, reference: number) => number;

async function expectGradient(
  options: TrainOptions,
  shift: number,
  rule: Rule,
  klSlope: KlSlope = () => 0,
): Promise<void> {
  const batch = await groups(shift);
  const optimizer = new Optimizer(model);
  const result = await update(learnerOf(pass, optimizer, options), { kept: batch }, options, 1);
  const actual = await downloadAll(pass.gradients);
  pass.clearGradients();
  const [low, high] = [1 - options.epsilon, 1 + (options.epsilonHigh ?? options.epsilon)];
  for (const graded of batch.flat()) {
    const [advantage, weight] = rule(graded, batch);
    const fixed = (await reference.forward([sequenceOf(graded)], 1)).logprobs;
    const { logprobs } = await pass.forward([sequenceOf(graded)], 1);
    const old = graded.trajectory.logprobs.filter((_, t) => graded.trajectory.mask[t] === 1);
    const coefficients = logprobs.map((logprob, t) => {
      const ratio = Math.exp(logprob - (old[t] ?? 0));
      const clipped = (advantage > 0 && ratio > high) || (advantage < 0 && ratio < low);
      const dual = options.delta !== null && advantage < 0 && ratio > options.delta;
      const policy = clipped || dual ? 0 : -advantage * ratio;
      return weight * (policy + options.beta * klSlope(logprob, fixed[t] ?? Number.NaN));
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
  expect((result.gradNorm ?? 0) / norm).toBeCloseTo(1, 5);
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

test("an observation's own weight is exactly 0: where nothing sampled follows it, it can be any token", async () => {
  const optimizer = new Optimizer(model);
  const batch = await groups(0.3);
  const withEnding = (token: number) =>
    batch.map((group) =>
      group.map(({ trajectory, ...graded }): GradedTrajectory => {
        const { ids, mask, logprobs } = trajectory;
        const longer = {
          ids: Uint32Array.of(...ids, token, token),
          mask: Uint8Array.of(...mask, 0, 0),
          logprobs: Float32Array.of(...logprobs, 0, 0),
        };
        return { ...graded, trajectory: { ...trajectory, ...longer } };
      }),
    );
  const options = optionsOf({ beta: 0.3, entropyCoefficient: 0.1 });
  const gradientOf = async (kept: GradedTrajectory[][]) => {
    await update(learnerOf(pass, optimizer, options), { kept }, options, 1);
    return downloadAll(pass.gradients);
  };
  const gradients = [await gradientOf(withEnding(3)), await gradientOf(withEnding(7))];
  expect(gradients[0]).toEqual(gradients[1]);
  // The same tokens as sampled ones do change it.
  const sampled = withEnding(7).map((group) =>
    group.map(({ trajectory, ...graded }): GradedTrajectory => {
      return {
        ...graded,
        trajectory: { ...trajectory, mask: trajectory.mask.map((bit, t, all) => (t === all.length - 1 ? 1 : bit)) },
      };
    }),
  );
  expect(await gradientOf(sampled)).not.toEqual(gradients[1]);
  optimizer.destroy();
});

describe("a KL penalty to another model", () => {
  test("k3 in the loss", () =>
    expectGradient(optionsOf({ beta: 0.3 }), 0, tokenMean(grpo), (own, fixed) => 1 - Math.exp(fixed - own)));

  test("k2 in the loss, off-policy", () =>
    expectGradient(
      optionsOf({ beta: 0.3, klEstimator: "k2", lossType: "grpo" }),
      0.3,
      (graded, batch) => [grpo(graded, batch)[0], 1 / (batch.flat().length * tokens(graded))],
      (own, fixed) => own - fixed,
    ));

  test("in the reward: what is left of a trajectory's KL is taken from each token's advantage", async () => {
    const options = optionsOf({ beta: 0.3, klPlacement: "reward", advantageEstimator: "rloo" });
    const optimizer = new Optimizer(model);
    const batch = await groups();
    await update(learnerOf(pass, optimizer, options), { kept: batch }, options, 1);
    const actual = await downloadAll(pass.gradients);
    pass.clearGradients();
    const weight = 1 / batch.flat().reduce((sum, each) => sum + tokens(each), 0);
    for (const graded of batch.flat()) {
      const group = rewardsOf(groupOf(graded, batch));
      const outcome = (graded.grade.numbers.reward - mean(group)) * (group.length / (group.length - 1));
      const fixed = (await reference.forward([sequenceOf(graded)], 1)).logprobs;
      const { logprobs } = await pass.forward([sequenceOf(graded)], 1);
      const excess = Array.from(logprobs, (logprob, t) => logprob - (fixed[t] ?? Number.NaN));
      const left = excess.map((_, t) => excess.slice(t).reduce((sum, value) => sum + value, 0));
      pass.backward(Float32Array.from(left, (kl) => -weight * (outcome - 0.3 * kl)));
    }
    for (const [name, gradient] of await downloadAll(pass.gradients))
      expect(relativeNormError(actual.get(name) ?? [], gradient), name).toBeLessThan(1e-5);
    optimizer.destroy();
  });

  test("its mean is told, and steers beta towards the target", async () => {
    const optimizer = new Optimizer(model);
    const batch = await groups();
    let [sum, count] = [0, 0];
    for (const graded of batch.flat()) {
      const own = (await pass.forward([sequenceOf(graded)], 1)).logprobs;
      const fixed = (await reference.forward([sequenceOf(graded)], 1)).logprobs;
      own.forEach((logprob, t) => {
        const excess = logprob - (fixed[t] ?? Number.NaN);
        sum += Math.exp(-excess) + excess - 1;
      });
      count += own.length;
    }
    const options = optionsOf({ beta: 0.3, klTarget: (2 * sum) / count, klHorizon: 60 });
    const learner = learnerOf(pass, optimizer, options);
    const { kl } = await update(learner, { kept: batch }, options, 1);
    expect(kl?.coefficient).toBe(0.3);
    expect((kl?.mean ?? 0) / (sum / count)).toBeCloseTo(1, 4);
    // Half of the target is below it by more than a fifth: beta shrinks by 0.2 * 12 / 60.
    expect(learner.kl.coefficient).toBeCloseTo(0.3 * (1 - 0.2 / 5), 12);
    optimizer.destroy();
  });
});

test("off-policy figures: share of clipped tokens, log-prob difference", async () => {
  const optimizer = new Optimizer(model);
  const batch = await groups(0.3);
  const result = await update(learnerOf(pass, optimizer), { kept: batch }, optionsOf({}), 1);
  expect(result.logprobDifferenceMax).toBeCloseTo(0.3, 5);
  expect(result.logprobDifferenceMean).toBeCloseTo(0.3, 5);
  expect(result.totals.clippedHigh).toBeGreaterThan(0);
  expect(result.totals.clippedLow).toBeGreaterThan(0);
  const sampled = batch.flat().reduce((sum, each) => sum + tokens(each), 0);
  expect(result.totals.tokens).toBe(sampled);
  optimizer.destroy();
});

test("one optimizer step on one micro-batch of a model shaped as nano: dispatches, submits and readbacks", async () => {
  const nano = modelOf(model.gpu, { ...TINY, tiedEmbeddings: true }, randomTensors({ ...TINY, tiedEmbeddings: true }));
  const trainer = new TrainingPass(nano, pass.shape);
  const optimizer = new Optimizer(nano);
  const batch = await groups(0.3);
  await update(learnerOf(trainer, optimizer), { kept: batch }, optionsOf({}), 1);
  const before = { ...model.gpu.recorder.counters };
  await update(learnerOf(trainer, optimizer), { kept: batch }, optionsOf({}), 2);
  const after = model.gpu.recorder.counters;
  expect({
    dispatches: after.dispatches - before.dispatches,
    submits: after.submits - before.submits,
    readbacks: after.readbacks - before.readbacks,
    bindGroups: after.bindGroups - before.bindGroups,
  }).toEqual({ dispatches: 72, submits: 3, readbacks: 2, bindGroups: 0 });
  for (const part of [trainer, optimizer, nano]) part.destroy();
});
