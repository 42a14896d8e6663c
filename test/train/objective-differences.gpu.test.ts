/**
 * Every objective's gradient through the real kernels against central differences of its loss, which needs no formula
 * of the derivative.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { Optimizer } from "../../src/model/optimizer";
import { TrainingPass } from "../../src/model/policy-pass";
import { advantageEstimators } from "../../src/rl/estimators";
import type { GradedTrajectory } from "../../src/session/collect";
import { KlControl } from "../../src/train/kl-control";
import { update } from "../../src/train/update";
import { downloadAll, randomTensors, relativeNormError } from "../support/reference/models";
import { gradedGroups, optionsOf, type SmallModel, smallModel } from "./graded-batch";
import { TINY } from "./tiny-run";

let small: SmallModel;
let onPolicy: GradedTrajectory[][];
/** Ratios of e^0.3 and e^-0.3 to what was sampled. */
let offPolicy: GradedTrajectory[][];

beforeAll(async () => {
  small = await smallModel();
  onPolicy = await gradedGroups(small.pass);
  offPolicy = await gradedGroups(small.pass, 0.3);
});

/** Puts the starting weights, each moved by `distance` times its part of a direction, into the model. */
function place(direction: ReadonlyMap<string, Float32Array>, distance: number): void {
  for (const tensor of randomTensors(TINY)) {
    const way = direction.get(tensor.hfName);
    const data = tensor.data.map((value, i) => value + distance * (way?.[i] ?? 0));
    small.model.upload({ ...tensor, data });
  }
}

async function expectSlope(
  values: Record<string, unknown>,
  batch: readonly GradedTrajectory[][],
  step = 0.01,
): Promise<void> {
  const options = optionsOf(values);
  const optimizer = new Optimizer(small.model);
  const lossNow = async () => {
    const kl = new KlControl(options);
    const learner = { ...small, optimizer, kl };
    const { totals } = await update(
      options.beta === 0 ? { ...learner, reference: undefined } : learner,
      { kept: batch, greedyRewards: batch.map((_, g) => g / 4) },
      options,
      1,
    );
    return totals.loss;
  };
  place(new Map(), 0);
  await lossNow();
  const gradient = await downloadAll(small.pass.gradients);
  const norm = Math.sqrt([...gradient.values()].reduce((sum, g) => sum + g.reduce((s, v) => s + v * v, 0), 0));
  expect(norm).toBeGreaterThan(1e-4);
  const direction = new Map([...gradient].map(([name, g]) => [name, g.map((value) => value / norm)]));
  // Along its own direction the slope is the gradient's norm. The step balances f32 rounding of the loss against its
  // curvature: differences of two step sizes are extrapolated to 0 (Richardson).
  const slope = async (distance: number) => {
    place(direction, distance);
    const ahead = await lossNow();
    place(direction, -distance);
    return (ahead - (await lossNow())) / (2 * distance);
  };
  const [near, far] = [await slope(step), await slope(2 * step)];
  const extrapolated = (4 * near - far) / 3;
  expect(Math.abs(extrapolated / norm - 1), `slope ${extrapolated}, norm ${norm}`).toBeLessThan(1e-3);
  place(new Map(), 0);
  optimizer.destroy();
}

describe("cut into micro-batches, the gradient is the same", () => {
  test.each([
    { lossType: "dapo" },
    { lossType: "grpo" },
    { lossType: "dr_grpo" },
    { lossType: "dapo", lossAggregation: "seq-mean-token-sum" },
    { lossType: "grpo", importanceSamplingLevel: "sequence" },
    { lossType: "cispo" },
    { lossType: "sapo" },
    { lossType: "policy_gradient" },
    { entropyCoefficient: 0.1 },
    { beta: 0.5, klEstimator: "k3" },
    { beta: 0.5, klPlacement: "reward", advantageEstimator: "reinforce_pp" },
    { maskTruncatedCompletions: true, importanceSamplingMode: "token_truncate" },
    ...advantageEstimators.map((advantageEstimator) => ({ advantageEstimator })),
  ])("%j", async (values) => {
    const options = optionsOf(values);
    const optimizer = new Optimizer(small.model);
    // One or two sequences at a time, and masked ones among them.
    const cut = new TrainingPass(small.model, { ...small.pass.shape, rows: 24, sequences: 3 });
    const batch = offPolicy.map((group) =>
      group.map((graded, i): GradedTrajectory => {
        const trajectory = { ...graded.trajectory, finishReason: i === 1 ? ("length" as const) : ("stop" as const) };
        return { ...graded, trajectory };
      }),
    );
    const gradientBy = async (pass: TrainingPass) => {
      const { model: _, ...rest } = small;
      const learner = { ...rest, pass, optimizer, kl: new KlControl(options) };
      const used = options.beta === 0 ? { ...learner, reference: undefined } : learner;
      await update(used, { kept: batch, greedyRewards: batch.map((_, g) => g / 4) }, options, 1);
      return downloadAll(pass.gradients);
    };
    const [whole, parts] = [await gradientBy(small.pass), await gradientBy(cut)];
    for (const [name, gradient] of whole)
      expect(relativeNormError(parts.get(name) ?? [], gradient), name).toBeLessThan(1e-6);
    cut.destroy();
    optimizer.destroy();
  });
});

describe("off-policy, unclipped", () => {
  const open = { epsilon: 1, epsilonHigh: 3 };
  test.each([
    { lossType: "dapo" },
    { lossType: "grpo" },
    { lossType: "dr_grpo", scaleRewards: "none" },
    { lossType: "dapo", lossAggregation: "seq-mean-token-sum" },
    { lossType: "grpo", importanceSamplingLevel: "sequence" },
    { lossType: "sapo" },
    { lossType: "policy_gradient" },
    { entropyCoefficient: 0.1 },
    { beta: 0.5, klEstimator: "k2" },
    { beta: 0.5, klEstimator: "k3" },
    { beta: 0.5, klEstimator: "k3", entropyCoefficient: 0.1, lossType: "grpo" },
  ])("%j", (values) => expectSlope({ ...open, ...values }, offPolicy));
});

describe("off-policy, every ratio beyond its bound", () => {
  // Ratios of A > 0 below and of A < 0 above are not clipped by the clip; CISPO holds all of them, so that its weights
  // are constants.
  test.each([{ lossType: "dapo" }, { lossType: "dapo", delta: 1.2 }, { lossType: "cispo" }])("%j", (values) =>
    // So short a step that no token crosses a bound, where the loss has a kink.
    expectSlope({ epsilon: 0.1, epsilonHigh: 0.1, ...values }, offPolicy, 0.001),
  );
});

describe("on-policy, every estimator", () => {
  const open = { epsilon: 1, epsilonHigh: 3 };
  test.each(["grpo", "reinforce", "reinforce_pp", "reinforce_pp_baseline", "rloo", "opo", "remax"])(
    "%s",
    (advantageEstimator) => expectSlope({ ...open, advantageEstimator }, onPolicy),
  );
});

test("k3_plus has the value of k3 and the gradient of k2", async () => {
  const optimizer = new Optimizer(small.model);
  const gradientOf = async (klEstimator: string) => {
    const options = optionsOf({ beta: 0.5, klEstimator });
    const { kl } = await update({ ...small, optimizer, kl: new KlControl(options) }, { kept: onPolicy }, options, 1);
    return { mean: kl?.mean, gradient: await downloadAll(small.pass.gradients) };
  };
  const [plus, k2, k3] = [await gradientOf("k3_plus"), await gradientOf("k2"), await gradientOf("k3")];
  expect(plus.gradient).toEqual(k2.gradient);
  expect(plus.mean).toBe(k3.mean);
  expect(plus.mean).not.toBe(k2.mean);
  optimizer.destroy();
});
