import { describe, expect, test } from "vitest";
import { whiten } from "../../src/rl/advantages";
import { criticAdvantages } from "../../src/rl/gae";

const plain = { discount: 1, lambda: 1, observations: "skipped" } as const;

describe("criticAdvantages", () => {
  test("gamma = lambda = 1: R - V, whitened over the tokens of the batch; returns are the rewards", () => {
    const { advantages, returns } = criticAdvantages(
      {
        rewards: [[1, 0]],
        masks: [[[1, 0, 1], [1]]],
        values: [[[0.25, 0.5], [0.5]]],
      },
      plain,
    );
    // Unwhitened: 0.75, 0.5 and -0.5; mean 0.25, variance 3.5 / 12 = 0.291667.
    const deviation = Math.sqrt(0.875 / 3);
    expect(advantages[0]?.[0]?.[0]).toBeCloseTo(0.5 / deviation, 12);
    expect(advantages[0]?.[0]?.[1]).toBeCloseTo(0.25 / deviation, 12);
    expect(advantages[0]?.[1]?.[0]).toBeCloseTo(-0.75 / deviation, 12);
    expect(returns).toEqual([[Float64Array.of(1, 1), Float64Array.of(0)]]);
  });

  test("values of 0, as of a new critic: the advantages are the whitened rewards", () => {
    const { advantages } = criticAdvantages(
      { rewards: [[1, 0]], masks: [[[1, 1], [1]]], values: [[[0, 0], [0]]] },
      plain,
    );
    expect(advantages.flat()).toEqual(whiten([Float64Array.of(1, 1), Float64Array.of(0)]));
  });

  test("token rewards count where they fall, and the outcome at the last sampled token", () => {
    const { returns } = criticAdvantages(
      {
        rewards: [[1]],
        masks: [[[1, 1, 0, 1, 0]]],
        values: [[[0, 0, 0]]],
        tokenRewards: [[[-0.25, -0.5, -1]]],
      },
      { ...plain, discount: 0.5 },
    );
    // Last: -1 + 1; before it -0.5 + 0.5 * 0; first -0.25 + 0.5 * -0.5.
    expect(returns).toEqual([[Float64Array.of(-0.5, -0.5, 0)]]);
  });

  test("an observation ends credit in ZeroTIR's first convention, and decays it in the second", () => {
    const batch = { rewards: [[1]], masks: [[[1, 0, 1]]], values: [[[0.5, 0.5]]] };
    const returnsIn = (observations: "reset" | "carried" | "skipped") =>
      criticAdvantages(batch, { discount: 1, lambda: 0.5, observations }).returns[0]?.[0];
    // Last token: delta = 1 - 0.5, so its return is 1 in all of them. First: its delta is V' - 0.5 with V' the next
    // step's value.
    expect(returnsIn("skipped")).toEqual(Float64Array.of(0 + 0.25 + 0.5, 1));
    // The observation has value 0: the first delta is -0.5, its own 0.5; 0.5 * (0.5 + 0.5 * 0.5) comes through.
    expect(returnsIn("carried")).toEqual(Float64Array.of(-0.5 + 0.375 + 0.5, 1));
    expect(returnsIn("reset")).toEqual(Float64Array.of(0, 1));
  });

  test("values that are missing, or too many, are refused", () => {
    expect(() => criticAdvantages({ rewards: [[1]], masks: [[[1, 1]]], values: [[[0]]] }, plain)).toThrow(
      /1 entries for 2 sampled/,
    );
    expect(() => criticAdvantages({ rewards: [[1]], masks: [[[1]]], values: [[[0, 0]]] }, plain)).toThrow(
      /2 entries for 1 sampled/,
    );
  });
});
