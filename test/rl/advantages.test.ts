import { describe, expect, it } from "vitest";
import { mean, sampleStandardDeviation } from "../../src/base/statistics";
import { groupAdvantages } from "../../src/rl/advantages";

function expectClose(actual: readonly (readonly number[])[], expected: readonly (readonly number[])[], digits = 12) {
  expect(actual.map((group) => group.length)).toEqual(expected.map((group) => group.length));
  for (const [g, group] of expected.entries())
    for (const [i, value] of group.entries()) expect(actual[g]?.[i]).toBeCloseTo(value, digits);
}

describe("moments", () => {
  it("by hand", () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(mean([], 0)).toBe(0);
    expect(() => mean([])).toThrow("an empty list has no mean");
    expect(sampleStandardDeviation([1, 2, 6])).toBeCloseTo(Math.sqrt(7), 15);
    expect(sampleStandardDeviation([4])).toBe(0);
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
