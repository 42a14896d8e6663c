import { describe, expect, it } from "vitest";
import { CounterRandom } from "../../src/base/random";
import { explainedVariance, type ValuedTrajectory, valueLoss } from "../../src/rl/value-loss";

/** One token of weight 1. */
function one(value: number, old: number, target: number): ValuedTrajectory {
  return { values: [value], oldValues: [old], returns: [target], weight: 1 };
}

describe("the value loss by hand", () => {
  it("is half the squared error without a clip", () => {
    const tokens = { values: [1, -0.5], oldValues: [9, 9], returns: [0.5, 1], weight: 0.25 };
    // 0.25 * 0.5 * (0.25 + 2.25)
    expect(valueLoss(tokens, null)).toEqual({
      coefficients: Float64Array.of(0.125, -0.375),
      loss: 0.3125,
      tokens: 2,
      clipped: 0,
    });
  });

  it.each([
    // Within the range: both terms are the same.
    { name: "inside", tokens: one(0.75, 0.5, 2), loss: 0.5 * 1.25 ** 2, slope: -1.25, clipped: 0 },
    { name: "at the bound", tokens: one(1, 0.5, 2), loss: 0.5, slope: -1, clipped: 0 },
    // Moved by 1 towards R = 2: the value that is held at 1 is further away.
    { name: "towards the return", tokens: one(1.5, 0.5, 2), loss: 0.5, slope: 0, clipped: 1 },
    { name: "towards the return, down", tokens: one(-0.5, 0.5, -2), loss: 0.5 * 4, slope: 0, clipped: 1 },
    // Moved by 1 away from R = 0: the value itself is further away and has to come back.
    { name: "away from the return", tokens: one(1.5, 0.5, 0), loss: 0.5 * 2.25, slope: 1.5, clipped: 0 },
    // From 0.5 past R = 0.6 to 3: held at 1 it is nearer.
    { name: "past the return", tokens: one(3, 0.5, 0.6), loss: 0.5 * 2.4 ** 2, slope: 2.4, clipped: 0 },
    // From 0 to 0.9 with R = 1 beyond: held at 0.5.
    { name: "short of the return", tokens: one(0.9, 0, 1), loss: 0.5 * 0.25, slope: 0, clipped: 1 },
  ])("clips at 0.5: $name", ({ tokens, loss, slope, clipped }) => {
    const result = valueLoss(tokens, 0.5);
    expect(result.loss).toBeCloseTo(loss, 12);
    expect(result.coefficients[0]).toBeCloseTo(slope, 12);
    expect(result.clipped).toBe(clipped);
  });

  it("does not clip a value within the range whose sum rounds", () => {
    expect(0.4 + (0.1 - 0.4)).toBeLessThan(0.1);
    for (const target of [-1, 1]) expect(valueLoss(one(0.1, 0.4, target), 0.5).clipped).toBe(0);
  });

  it("gives a trajectory of weight 0 no part in anything", () => {
    const tokens = { values: [1, 2], oldValues: [0, 0], returns: [5, 5], weight: 0 };
    expect(valueLoss(tokens, 0.5)).toEqual({ coefficients: new Float64Array(2), loss: 0, tokens: 0, clipped: 0 });
  });

  it("refuses lists of different lengths and numbers that are not finite", () => {
    expect(() => valueLoss({ ...one(1, 1, 1), returns: [] }, null)).toThrow("1 values but 1 old values and 0 returns");
    expect(() => valueLoss(one(Number.NaN, 0, 0), null)).toThrow("value NaN of token 0");
    expect(() => valueLoss(one(0, 0, Number.POSITIVE_INFINITY), 1)).toThrow("return Infinity of token 0");
    expect(() => valueLoss({ ...one(0, 0, 0), weight: Number.NaN }, 1)).toThrow("weight NaN");
  });
});

it.each([null, 0.2, 0.7])("c_t is the central difference of the loss, e = %s", (clipRange) => {
  const draws = new CounterRandom(12345, 0);
  const random = () => 4 * draws.fraction() - 2;
  const list = () => Array.from({ length: 60 }, random);
  const tokens = { values: list(), oldValues: list(), returns: list(), weight: 0.3 };
  const { coefficients, clipped } = valueLoss(tokens, clipRange);
  if (clipRange === null) expect(clipped).toBe(0);
  else expect(clipped).toBeGreaterThan(5);
  const step = 1e-6;
  tokens.values.forEach((value, t) => {
    const moved = (by: number) =>
      valueLoss({ ...tokens, values: tokens.values.map((other, i) => (i === t ? value + by : other)) }, clipRange).loss;
    expect(coefficients[t]).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 6);
  });
});

describe("explained variance", () => {
  it("by hand", () => {
    expect(explainedVariance([1, 2, 3], [1, 2, 3])).toBe(1);
    expect(explainedVariance([7, 7, 7], [1, 2, 3])).toBe(0);
    // R - V = 2, 0, -2: variance 8/3; Var(R) = 2/3.
    expect(explainedVariance([-1, 2, 5], [1, 2, 3])).toBeCloseTo(-3, 12);
    // A constant offset costs nothing.
    expect(explainedVariance([11, 12, 13], [1, 2, 3])).toBe(1);
  });

  it("is null where the returns do not vary", () => {
    expect(explainedVariance([1, 2], [3, 3])).toBeNull();
    expect(explainedVariance([], [])).toBeNull();
    expect(() => explainedVariance([1], [])).toThrow("1 values but 0 returns");
  });
});
