import { describe, expect, it } from "vitest";
import { type Aggregation, tokenWeights } from "../../src/rl/aggregation";
import { addTotals, type ClipOptions, emptyTotals, objectiveMetrics, trajectoryLoss } from "../../src/rl/objective";

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
    expect(() => trajectoryLoss({ ...tokens, advantage: Number.NaN }, clip)).toThrow(/advantage NaN/);
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
    expect(metrics["clip_ratio/region_mean"]).toBeCloseTo(2 / 5, 15);
    expect(metrics["ratio/mean"]).toBeCloseTo((1.3 + 1.1 + 0.7 + 4 + 1) / 5, 12);
    expect(metrics["ratio/min"]).toBeCloseTo(0.7, 12);
    expect(metrics["ratio/max"]).toBeCloseTo(4, 12);
    expect(metrics.approx_kl).toBeCloseTo(-Math.log(1.3 * 1.1 * 0.7 * 4) / 5, 12);
    expect(metrics.loss).toBeCloseTo(-1.28 - 1.1 + 0.8 + 3 + 1, 12);
  });

  it("are finite metrics without tokens", () => {
    expect(objectiveMetrics(emptyTotals())).toMatchObject({ loss: 0, "ratio/min": 1, "ratio/max": 1, approx_kl: 0 });
  });
});
