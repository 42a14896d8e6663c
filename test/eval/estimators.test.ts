import { describe, expect, test } from "vitest";
import { majorityIsRight, passAtK, passRates } from "../../src/eval/estimators";

/** Share of the subsets of k of n samples, the first c of which are right, that hold a right one. */
function passByCounting(n: number, c: number, k: number): number {
  let subsets = 0;
  let hits = 0;
  for (let subset = 0; subset < 2 ** n; subset++) {
    const members = Array.from({ length: n }, (_, i) => i).filter((i) => (subset >> i) & 1);
    if (members.length !== k) continue;
    subsets++;
    if (members.some((i) => i < c)) hits++;
  }
  return hits / subsets;
}

describe("pass@k", () => {
  test("equals the count over all subsets", () => {
    for (let n = 1; n <= 9; n++)
      for (let c = 0; c <= n; c++)
        for (let k = 1; k <= n; k++)
          expect(passAtK(n, c, k), `n ${n}, c ${c}, k ${k}`).toBeCloseTo(passByCounting(n, c, k), 12);
  });

  test("k of 1 is the mean; large n does not overflow", () => {
    expect(passAtK(1000, 137, 1)).toBeCloseTo(0.137, 12);
    // 1 - C(9000, 100) / C(10000, 100), by logarithms of the same quotient.
    const miss = Array.from({ length: 100 }, (_, i) => Math.log((9000 - i) / (10000 - i))).reduce((a, b) => a + b);
    expect(passAtK(10000, 1000, 100)).toBeCloseTo(1 - Math.exp(miss), 12);
  });

  test("more draws than samples are refused", () => {
    expect(() => passAtK(4, 2, 5)).toThrow(/pass@5 needs at least 5 samples, not 4/);
  });
});

describe("maj@k", () => {
  const votes = (...answers: (string | null)[]) => answers.map((answer) => ({ answer, correct: answer === "7" }));

  test.each<[(string | null)[], boolean]>([
    [["7"], true],
    [["8"], false],
    [["8", "7", "7"], true],
    [["8", "8", "7"], false],
    [["7", "8"], true],
    [["8", "7"], false],
    [["8", "7", "8", "7", "7"], true],
    [[null, null, "7"], true],
    [[null, null], false],
    [[], false],
  ])("%j: %s", (answers, right) => {
    expect(majorityIsRight(votes(...answers))).toBe(right);
  });

  test("right answers written in several ways vote together", () => {
    const written = [
      { answer: "1/2", correct: true },
      { answer: "3", correct: false },
      { answer: "3", correct: false },
      { answer: "0.5", correct: true },
      { answer: "\\frac{1}{2}", correct: true },
    ];
    expect(majorityIsRight(written)).toBe(true);
  });
});

describe("pass rates of prompts", () => {
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
});
