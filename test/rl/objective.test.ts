import { describe, expect, it } from "vitest";
import { type Aggregation, tokenWeights } from "../../src/rl/aggregation";
import {
  addTotals,
  emptyTotals,
  type LossOptions,
  trajectoryLoss as lossOf,
  objectiveMetrics,
  type TrajectoryTokens,
} from "../../src/rl/objective";
import type { ClipBounds, PolicyObjective } from "../../src/rl/policy-term";

type ClipOptions = ClipBounds & { readonly dualClip?: number };
type OneAdvantage = Omit<TrajectoryTokens, "advantages"> & { readonly advantage: number };

const settings = (policy: PolicyObjective): LossOptions => ({
  policy,
  ratioLevel: "token",
  kl: { estimator: "k3", coefficient: 0 },
  entropyCoefficient: 0,
});

/** The clipped objective at one advantage for all tokens. */
function trajectoryLoss({ advantage, ...tokens }: OneAdvantage, options: ClipOptions) {
  const advantages = Array.from(tokens.logprobs, () => advantage);
  return lossOf({ ...tokens, advantages }, settings({ kind: "clip", ...options }));
}

const clip: ClipOptions = { epsilonLow: 0.2, epsilonHigh: 0.28, dualClip: 3 };
const old = -1.25;

/** Loss and coefficient of one token with ratio r. */
function token(ratio: number, advantage: number, options: ClipOptions = clip, weight = 1) {
  const tokens = { logprobs: [old + Math.log(ratio)], oldLogprobs: [old], advantage, weight };
  const { coefficients, totals } = trajectoryLoss(tokens, options);
  return { loss: totals.loss, coefficient: coefficients[0] ?? Number.NaN, totals };
}

describe("token weights", () => {
  const tokens = [2, 6, 0, 4];
  it.each<[Aggregation, number[]]>([
    ["token-mean", [1 / 12, 1 / 12, 0, 1 / 12]],
    ["seq-mean-token-mean", [1 / 6, 1 / 18, 0, 1 / 12]],
    ["seq-mean-token-sum", [1 / 3, 1 / 3, 0, 1 / 3]],
    ["seq-mean-token-sum-norm", [1 / 30, 1 / 30, 0, 1 / 30]],
  ])("%s by hand", (mode, weights) => {
    expect(tokenWeights(tokens, { mode, lengthNorm: 10 })).toEqual(weights);
  });

  it("leaves dropped trajectories out of the counts", () => {
    const keep = [true, false, true, true];
    expect(tokenWeights(tokens, { mode: "token-mean" }, keep)).toEqual([1 / 6, 0, 0, 1 / 6]);
    expect(tokenWeights(tokens, { mode: "seq-mean-token-mean" }, keep)).toEqual([1 / 4, 0, 0, 1 / 8]);
    expect(tokenWeights([3], { mode: "token-mean" }, [false])).toEqual([0]);
  });

  it("refuses a missing length and lists that differ", () => {
    expect(() => tokenWeights([1], { mode: "seq-mean-token-sum-norm" })).toThrow(/needs lengthNorm/);
    expect(() => tokenWeights([1], { mode: "token-mean" }, [])).toThrow(/0 keep flags for 1/);
  });
});

describe("clipped objective", () => {
  it.each([
    // ratio, A, loss, coefficient
    [1, 2, -2, -2],
    [1.1, 2, -2.2, -2.2],
    [1.3, 2, -2.56, 0],
    [0.5, 2, -1, -1],
    [1, -2, 2, 2],
    [0.9, -2, 1.8, 1.8],
    [0.7, -2, 1.6, 0],
    [2, -2, 4, 4],
    [3.5, -2, 6, 0],
    [1.3, 0, 0, 0],
  ])("ratio %d, advantage %d by hand", (ratio, advantage, loss, coefficient) => {
    expect(token(ratio, advantage).loss).toBeCloseTo(loss, 12);
    expect(token(ratio, advantage).coefficient).toBeCloseTo(coefficient, 12);
    expect(token(ratio, advantage, clip, 0.25).loss).toBeCloseTo(loss / 4, 12);
    expect(token(ratio, advantage, clip, 0.25).coefficient).toBeCloseTo(coefficient / 4, 12);
  });

  it("without a dual clip a large ratio keeps its gradient", () => {
    const plain = { epsilonLow: 0.2, epsilonHigh: 0.28 };
    expect(token(3.5, -2, plain).loss).toBeCloseTo(7, 12);
    expect(token(3.5, -2, plain).coefficient).toBeCloseTo(7, 12);
  });

  it("is exactly -alpha A on policy", () => {
    const logprobs = Float32Array.from([-0.1, -3.3, -17.9]);
    const { coefficients, totals } = trajectoryLoss(
      { logprobs, oldLogprobs: Float32Array.from(logprobs), advantage: 0.7, weight: 0.1 },
      clip,
    );
    expect([...coefficients]).toEqual([-0.1 * 0.7, -0.1 * 0.7, -0.1 * 0.7]);
    expect(totals).toMatchObject({
      ratioMin: 1,
      ratioMax: 1,
      ratioSum: 3,
      logRatioSum: 0,
      clippedLow: 0,
      clippedHigh: 0,
    });
  });

  it("holds the log-ratio within 20, and has no gradient beyond", () => {
    const at = (logprob: number, advantage: number) =>
      trajectoryLoss(
        { logprobs: [logprob], oldLogprobs: [-50], advantage, weight: 1 },
        { epsilonLow: 0.2, epsilonHigh: 0.28 },
      );
    expect(at(-10, -1).totals.loss).toBeCloseTo(Math.exp(20), 3);
    expect(at(-10, -1).coefficients[0]).toBe(0);
    expect(at(-90, 1).totals.loss).toBeCloseTo(-Math.exp(-20), 15);
    expect(at(-90, 1).coefficients[0]).toBe(0);
    expect(at(-69, 1).coefficients[0]).toBeCloseTo(-Math.exp(-19), 15);
  });

  it("skips trajectories of weight 0, whatever they hold", () => {
    const { coefficients, totals } = trajectoryLoss(
      { logprobs: [Number.NaN], oldLogprobs: [-1], advantage: 1, weight: 0 },
      clip,
    );
    expect([...coefficients]).toEqual([0]);
    expect(totals).toEqual(emptyTotals());
  });

  it("refuses what is no number", () => {
    const tokens = { logprobs: [-1, Number.NaN], oldLogprobs: [-1, -1], advantage: 1, weight: 1 };
    expect(() => trajectoryLoss(tokens, clip)).toThrow(/NaN .* of token 1/);
    expect(() => trajectoryLoss({ ...tokens, logprobs: [-1] }, clip)).toThrow(/1 log-probs but 2 old/);
    expect(() => trajectoryLoss({ ...tokens, logprobs: [-1, -1], advantage: Number.NaN }, clip)).toThrow(
      /advantage NaN/,
    );
  });

  it("agrees with finite differences of the whole batch's loss, in every mode and region", () => {
    // Ratios on both sides of every kink (0.8, 1.28, 3), none within the step of one.
    const ratios = [0.01, 0.5, 0.79, 0.81, 1, 1.1, 1.27, 1.29, 2, 2.9, 3.1, 50];
    const batch = [
      { advantage: 1.7, ratios },
      { advantage: -0.6, ratios: ratios.slice(2) },
      { advantage: 0, ratios: [1.1] },
      { advantage: -2.5, ratios: ratios.slice(0, 5) },
    ];
    const counts = batch.map((trajectory) => trajectory.ratios.length);
    const olds = batch.map((trajectory) => trajectory.ratios.map((_, t) => -0.3 - 0.41 * t));
    const now = batch.map((trajectory, i) =>
      trajectory.ratios.map((ratio, t) => (olds[i]?.[t] ?? 0) + Math.log(ratio)),
    );
    const modes: Aggregation[] = ["token-mean", "seq-mean-token-mean", "seq-mean-token-sum", "seq-mean-token-sum-norm"];
    for (const mode of modes)
      for (const options of [clip, { epsilonLow: 0.2, epsilonHigh: 0.28 }]) {
        const weights = tokenWeights(counts, { mode, lengthNorm: 16 });
        const parts = () =>
          batch.map(({ advantage }, i) =>
            trajectoryLoss(
              { logprobs: now[i] ?? [], oldLogprobs: olds[i] ?? [], advantage, weight: weights[i] ?? 0 },
              options,
            ),
          );
        const loss = () => parts().reduce((sum, part) => sum + part.totals.loss, 0);
        const analytic = parts().map((part) => part.coefficients);
        const step = 1e-6;
        for (const [i, logprobs] of now.entries())
          for (const [t, centre] of logprobs.entries()) {
            logprobs[t] = centre + step;
            const above = loss();
            logprobs[t] = centre - step;
            const below = loss();
            logprobs[t] = centre;
            expect(Math.abs((above - below) / (2 * step) - (analytic[i]?.[t] ?? Number.NaN))).toBeLessThan(1e-7);
          }
      }
  });
});

describe("totals", () => {
  it("count the clipped tokens of each kind and add up", () => {
    const parts = [token(1.3, 1), token(1.1, 1), token(0.7, -1), token(4, -1), token(1, -1)];
    const sum = parts.map((part) => part.totals).reduce(addTotals, emptyTotals());
    const metrics = objectiveMetrics(sum);
    expect(sum).toMatchObject({ tokens: 5, clippedHigh: 1, clippedLow: 1, clippedDual: 1 });
    expect(metrics["clip_ratio/region_mean"]).toBeCloseTo(3 / 5, 15);
    expect(metrics["ratio/mean"]).toBeCloseTo((1.3 + 1.1 + 0.7 + 4 + 1) / 5, 12);
    expect(metrics["ratio/min"]).toBeCloseTo(0.7, 12);
    expect(metrics["ratio/max"]).toBeCloseTo(4, 12);
    expect(metrics.kl).toBeCloseTo(-Math.log(1.3 * 1.1 * 0.7 * 4) / 5, 12);
    expect(sum.loss).toBeCloseTo(-1.28 - 1.1 + 0.8 + 3 + 1, 12);
  });

  it("are finite metrics without tokens", () => {
    expect(objectiveMetrics(emptyTotals())).toMatchObject({ "ratio/min": 1, "ratio/max": 1, kl: 0 });
  });
});

describe("other objectives, against finite differences", () => {
  const olds = [-1.1, -0.4, -2.2, -0.9];
  const references = [-1.5, -0.2, -2.0, -1.9];
  const entropies = [0.3, 0.9, 0.1, 1.4];
  const start = [-0.8, -0.9, -1.7, -0.95];
  const kl = { estimator: "k3", coefficient: 0 } as const;
  const check = (options: LossOptions, advantages: number[], importance?: number[]) => {
    const at = (logprobs: number[]) =>
      lossOf(
        {
          logprobs,
          oldLogprobs: olds,
          advantages,
          weight: 0.3,
          referenceLogprobs: references,
          entropies,
          ...(importance && { importance }),
        },
        options,
      );
    const analytic = at(start).coefficients;
    start.forEach((_, t) => {
      const moved = (by: number) => at(start.map((value, u) => (u === t ? value + by : value))).totals.loss;
      expect((moved(1e-6) - moved(-1e-6)) / 2e-6).toBeCloseTo(analytic[t] ?? Number.NaN, 7);
    });
  };

  it.each([1.3, -0.7])("SAPO, plain policy gradient and sequence ratios, advantage %d", (advantage) => {
    const same = [advantage, advantage, advantage, advantage];
    const clipped: PolicyObjective = { kind: "clip", epsilonLow: 0.3, epsilonHigh: 0.4 };
    const sapo: PolicyObjective = { kind: "sapo", temperaturePositive: 1, temperatureNegative: 1.05 };
    for (const policy of [sapo, { kind: "policy_gradient" } as const, clipped]) {
      check({ policy, ratioLevel: "token", kl, entropyCoefficient: 0.01 }, same, [0.5, 2, 1, 0]);
      check({ policy, ratioLevel: "token", kl, entropyCoefficient: 0 }, [1, -1, 0.5, 0]);
    }
    check({ policy: clipped, ratioLevel: "sequence", kl, entropyCoefficient: 0 }, same);
  });

  it.each(["k1", "k2", "k3"] as const)("%s in the loss", (estimator) => {
    const policy: PolicyObjective = { kind: "policy_gradient" };
    check({ policy, ratioLevel: "token", kl: { estimator, coefficient: 0.5 }, entropyCoefficient: 0 }, [1, 1, 1, 1]);
  });

  it("CISPO by hand: the clipped ratio is a constant factor, and no token loses its gradient", () => {
    const policy: PolicyObjective = { kind: "cispo", epsilonLow: 0.2, epsilonHigh: 0.28 };
    const result = lossOf(
      {
        logprobs: [-1, -1, -1],
        oldLogprobs: [-1 - Math.log(2), -1, -1 + Math.log(2)],
        advantages: [2, 2, -2],
        weight: 0.5,
      },
      settings(policy),
    );
    const expected = [-1.28, -1, 0.8];
    expected.forEach((value, t) => {
      expect(result.coefficients[t]).toBeCloseTo(value, 12);
    });
    expect(result.totals).toMatchObject({ clippedHigh: 1, clippedLow: 1 });
    expect(result.totals.loss).toBeCloseTo(0.5 * (1.28 * 2 + 2 - 0.8 * 2), 12);
  });

  it("GSPO by hand: -alpha A s for every token, none outside the clip", () => {
    const tokens = { logprobs: [-1, -1], oldLogprobs: [-1.3, -0.9], advantages: [1, 1], weight: 0.25 };
    const of = (epsilonHigh: number) =>
      lossOf(tokens, { ...settings({ kind: "clip", epsilonLow: 0.2, epsilonHigh }), ratioLevel: "sequence" });
    expect(of(0.2).coefficients[0]).toBeCloseTo(-0.25 * Math.exp(0.1), 12);
    expect(of(0.2).coefficients[1]).toBe(of(0.2).coefficients[0]);
    expect([...of(0.1).coefficients]).toEqual([0, 0]);
  });

  it("an entropy bonus has the coefficient -alpha c_H", () => {
    const tokens = { logprobs: [-1], oldLogprobs: [-1], advantages: [0], weight: 0.25, entropies: [0.8] };
    const result = lossOf(tokens, { ...settings({ kind: "policy_gradient" }), entropyCoefficient: 0.1 });
    expect(result.entropyCoefficients[0]).toBeCloseTo(-0.025, 15);
    expect(result.totals.loss).toBeCloseTo(-0.02, 15);
  });
});
