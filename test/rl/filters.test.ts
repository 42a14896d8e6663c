import { describe, expect, it } from "vitest";
import { filterGroups, fractionWithoutVariance, keepsGroup } from "../../src/rl/filters";
import { logprobDifference } from "../../src/rl/logprob-difference";

describe("group filter", () => {
  const zeroTir = { low: 0.05, high: 0.8 };
  it.each([
    [[0, 0, 0, 0], false],
    [[1, 0, 0, 0], true],
    [[1, 1, 1, 1, 0], false], // exactly 0.8 is outside
    [[1, 1, 1, 0], true],
    [[1, 1, 1, 1], false],
    [[1, ...new Array<number>(19).fill(0)], false], // exactly 0.05 is outside
    [[], false],
  ])("%j: %s", (rewards, keep) => {
    expect(keepsGroup(rewards, zeroTir)).toBe(keep);
  });

  it("with bounds 0 and 1 drops only groups that are all right or all wrong", () => {
    const bounds = { low: 0, high: 1 };
    expect(
      [
        [0, 0],
        [1, 1],
        [1, 0],
        [1, ...new Array<number>(255).fill(0)],
      ].map((r) => keepsGroup(r, bounds)),
    ).toEqual([false, false, true, true]);
  });

  it("splits groups, counts trajectories and keeps the order", () => {
    const groups = [
      { name: "a", rewards: [1, 1] },
      { name: "b", rewards: [1, 0, 0] },
      { name: "c", rewards: [0, 1, 0] },
    ];
    const { kept, dropped, passRate } = filterGroups(groups, (group) => group.rewards, zeroTir);
    expect(kept.map((group) => group.name)).toEqual(["b", "c"]);
    expect(dropped.map((group) => group.name)).toEqual(["a"]);
    expect(passRate).toBe(75);
    expect(filterGroups(groups, (group) => group.rewards)).toMatchObject({ kept: groups, dropped: [], passRate: 100 });
    expect(filterGroups([], () => [], zeroTir).passRate).toBe(0);
  });

  it("finds the share of groups without variance", () => {
    expect(
      fractionWithoutVariance([
        [1, 1],
        [0, 1],
        [0.1, 0.1, 0.1],
        [0, 0],
      ]),
    ).toBe(0.75);
    expect(fractionWithoutVariance([])).toBe(0);
  });
});

describe("log-prob difference", () => {
  it("is nothing for equal lists", () => {
    const logprobs = Float32Array.from([-0.5, -2, Number.NEGATIVE_INFINITY]);
    expect(logprobDifference(logprobs, Float32Array.from(logprobs))).toEqual({
      tokens: 3,
      unequal: 0,
      meanAbsolute: 0,
      maxAbsolute: 0,
      kl: 0,
      effectiveSampleSize: 1,
    });
  });

  it("by hand", () => {
    const result = logprobDifference([-1, -2, -3, -4], [-1, -2.5, -2.75, -4]);
    expect(result).toMatchObject({ tokens: 4, unequal: 2, meanAbsolute: 0.1875, maxAbsolute: 0.5, kl: 0.0625 });
    const weights = [1, Math.exp(-0.5), Math.exp(0.25), 1];
    const sum = weights.reduce((a, b) => a + b);
    const squares = weights.reduce((a, b) => a + b * b, 0);
    expect(result.effectiveSampleSize).toBeCloseTo(sum ** 2 / (4 * squares), 14);
  });

  it("does not hide a NaN, and copes with nothing", () => {
    expect(logprobDifference([-1], [Number.NaN])).toMatchObject({
      unequal: 1,
      meanAbsolute: Number.NaN,
      maxAbsolute: Number.NaN,
    });
    expect(logprobDifference([], [])).toMatchObject({ tokens: 0, meanAbsolute: 0, effectiveSampleSize: 1 });
    expect(() => logprobDifference([-1], [])).toThrow(RangeError);
  });
});
