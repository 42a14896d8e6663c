import { describe, expect, it } from "vitest";
import { groupAdvantages, reinforcePlusPlusBaseline } from "../../src/rl/advantages";
import { mean, sampleStandardDeviation, weightedMoments } from "../../src/rl/moments";

function expectClose(actual: readonly (readonly number[])[], expected: readonly (readonly number[])[], digits = 12) {
  expect(actual.map((group) => group.length)).toEqual(expected.map((group) => group.length));
  for (const [g, group] of expected.entries())
    for (const [i, value] of group.entries()) expect(actual[g]?.[i]).toBeCloseTo(value, digits);
}

describe("moments", () => {
  it("by hand", () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(mean([])).toBe(0);
    expect(sampleStandardDeviation([1, 2, 6])).toBeCloseTo(Math.sqrt(7), 15);
    expect(sampleStandardDeviation([4])).toBe(0);
    // 1 once and 5 three times: mean 4, variance (9 + 3) / 4.
    expect(weightedMoments([1, 5], [1, 3])).toEqual({ mean: 4, variance: 3 });
    expect(weightedMoments([1, 5], [0, 0])).toEqual({ mean: 0, variance: 0 });
  });
});

describe("REINFORCE++-baseline", () => {
  it("by hand, equal lengths", () => {
    // Centred: 1/2, -1/2 | 3/4, -1/4, -1/4, -1/4. Mean 0; variance (2/4 + 9/16 + 3/16) / 6 = 5/24.
    const { advantages, tokenMean, tokenStandardDeviation } = reinforcePlusPlusBaseline(
      [
        [1, 0],
        [1, 0, 0, 0],
      ],
      [
        [5, 5],
        [5, 5, 5, 5],
      ],
    );
    const sd = Math.sqrt(5 / 24);
    expectClose(advantages, [
      [0.5 / sd, -0.5 / sd],
      [0.75 / sd, -0.25 / sd, -0.25 / sd, -0.25 / sd],
    ]);
    expect(tokenMean).toBeCloseTo(0, 15);
    expect(tokenStandardDeviation).toBeCloseTo(sd, 15);
  });

  it("weighs by tokens: the mean over tokens is 0, the variance 1", () => {
    const tokens = [
      [10, 30],
      [7, 1],
    ];
    const { advantages, tokenMean } = reinforcePlusPlusBaseline(
      [
        [1, 0],
        [0, 1],
      ],
      tokens,
    );
    // mu = (10/2 - 30/2 - 7/2 + 1/2) / 48 = -13/48.
    expect(tokenMean).toBeCloseTo(-13 / 48, 14);
    const moments = weightedMoments(advantages.flat(), tokens.flat());
    expect(moments.mean).toBeCloseTo(0, 12);
    expect(moments.variance).toBeCloseTo(1, 12);
  });

  it("leaves trajectories without tokens out of the moments", () => {
    const all = reinforcePlusPlusBaseline([[1, 0, 0]], [[4, 2, 0]]);
    const mu = ((4 * 2) / 3 - 2 / 3) / 6;
    expect(all.tokenMean).toBeCloseTo(mu, 14);
    expect(all.advantages[0]).toHaveLength(3);
  });

  it("gives zeros, not noise, when nothing varies", () => {
    expect(reinforcePlusPlusBaseline([[0.1, 0.1, 0.1]], [[3, 5, 7]]).advantages).toEqual([[0, 0, 0]]);
    expect(reinforcePlusPlusBaseline([], []).advantages).toEqual([]);
    // The floor: centred rewards of +-1e-6 have a variance of 1e-12, below 1e-10.
    expectClose(reinforcePlusPlusBaseline([[2e-6, 0]], [[1, 1]]).advantages, [[0.1, -0.1]], 9);
  });

  it("refuses shapes that differ and numbers that are none", () => {
    expect(() => reinforcePlusPlusBaseline([[1, 0]], [[1]])).toThrow(/differ in shape/);
    expect(() => reinforcePlusPlusBaseline([[1, Number.NaN]], [[1, 1]])).toThrow(/reward 1 of group 0 is NaN/);
  });
});

describe("group advantages", () => {
  const rewards = [
    [1, 0, 0, 0],
    [1, 1],
    [2, 5],
  ];

  it("GRPO by hand", () => {
    // First group: mean 1/4, sd with divisor 3: sqrt((9/16 + 3/16) / 3) = 1/2. Third: mean 3.5, sd sqrt(4.5).
    expectClose(groupAdvantages(rewards, { epsilon: 0.25 }), [
      [0.75 / 0.75, -0.25 / 0.75, -0.25 / 0.75, -0.25 / 0.75],
      [0, 0],
      [-1.5 / (Math.sqrt(4.5) + 0.25), 1.5 / (Math.sqrt(4.5) + 0.25)],
    ]);
    expect(groupAdvantages([[1, 0]])[0]?.[0]).toBeCloseTo(0.5 / (Math.SQRT1_2 + 1e-6), 14);
  });

  it("without scaling, and with the batch's deviation", () => {
    expect(groupAdvantages(rewards, { scaleRewards: "none" })).toEqual([
      [0.75, -0.25, -0.25, -0.25],
      [0, 0],
      [-1.5, 1.5],
    ]);
    const sd = sampleStandardDeviation([1, 0, 0, 0, 1, 1, 2, 5]);
    expectClose(groupAdvantages(rewards, { scaleRewards: "batch" }).slice(2), [
      [-1.5 / (sd + 1e-6), 1.5 / (sd + 1e-6)],
    ]);
  });

  it("gives a group of one, and one without variance, exact zeros", () => {
    expect(groupAdvantages([[7], [0.1, 0.1, 0.1]])).toEqual([[0], [0, 0, 0]]);
  });

  it("refuses a reward that is no number", () => {
    expect(() => groupAdvantages([[0], [Number.POSITIVE_INFINITY]])).toThrow(/reward 0 of group 1 is Infinity/);
  });
});
