import { describe, expect, test } from "vitest";
import { preferenceLoss } from "../../src/rl/preference";

const pair = { chosen: -3, rejected: -5, referenceChosen: -4, referenceRejected: -4.5 };

test("hand numbers: gap = 0.5 (1 + 0.5) = 0.75", () => {
  const dpo = preferenceLoss(pair, 0, 4, { lossType: "sigmoid", beta: 0.5, likelihoodWeight: 0 });
  expect([dpo.chosenReward, dpo.rejectedReward]).toEqual([0.5, -0.25]);
  expect(dpo.loss).toBeCloseTo(0.38687101, 7);
  expect(dpo.chosenCoefficient).toBeCloseTo(-0.5 * 0.3208213, 7);
  expect(dpo.rejectedCoefficient).toBeCloseTo(0.5 * 0.3208213, 7);
  const rpo = preferenceLoss(pair, 1, 4, { lossType: "rpo", beta: 0.5, likelihoodWeight: 2 });
  expect(rpo.loss).toBeCloseTo(0.0625 + (2 * 3) / 4, 12);
  expect(rpo.chosenCoefficient).toBeCloseTo(-0.25 - 0.5, 12);
  expect(rpo.rejectedCoefficient).toBeCloseTo(0.25, 12);
});

describe.each(["sigmoid", "rpo"] as const)("%s", (lossType) => {
  test("coefficients are the central differences of the loss", () => {
    const options = { lossType, beta: 0.3, likelihoodWeight: 0.7 };
    const loss = (dc: number, dr: number) =>
      preferenceLoss({ ...pair, chosen: -3 + dc, rejected: -5 + dr }, 1.5, 4, options).loss;
    const { chosenCoefficient, rejectedCoefficient } = preferenceLoss(pair, 1.5, 4, options);
    const h = 1e-5;
    expect(chosenCoefficient).toBeCloseTo((loss(h, 0) - loss(-h, 0)) / (2 * h), 8);
    expect(rejectedCoefficient).toBeCloseTo((loss(0, h) - loss(0, -h)) / (2 * h), 8);
  });
});
