import { expect, test } from "vitest";
import { passRates } from "../../src/eval/pass-rates";

test("by hand: 5 prompts with 0, 4, 1, 2 and 4 of 4 right", () => {
  // sqrt(1/4 * 3/4) = sqrt(3)/4 and sqrt(1/2 * 1/2) = 1/2; the other three are 0.
  expect(passRates([0, 4, 1, 2, 4], 4)).toEqual({
    histogram: [1, 1, 1, 0, 2],
    atZero: 0.2,
    atOne: 0.4,
    between: 0.4,
    influence: expect.closeTo((Math.sqrt(3) / 4 + 1 / 2) / 5, 12),
  });
});

test("influence is greatest, one half, when every prompt is solved every other time", () => {
  expect(passRates([4, 4], 8)).toMatchObject({ influence: 0.5, between: 1 });
  expect(passRates([8, 0], 8)).toMatchObject({ influence: 0, between: 0, atZero: 0.5, atOne: 0.5 });
});
