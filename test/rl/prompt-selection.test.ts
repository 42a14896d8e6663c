import { describe, expect, test } from "vitest";
import { CounterRandom } from "../../src/base/random";
import { observed, PRIOR, selectPrompts } from "../../src/rl/prompt-selection";

const uniform = (seed: number) => {
  const random = new CounterRandom(seed, 0);
  return () => random.fraction();
};

describe("observed", () => {
  test("adds what was seen to what is left of before", () => {
    expect(observed(PRIOR, 6, 8, 0.5)).toEqual({ alpha: 7, beta: 3 });
    expect(observed({ alpha: 7, beta: 3 }, 0, 8, 0.5)).toEqual({ alpha: 4, beta: 10 });
    expect(observed({ alpha: 7, beta: 3 }, 1, 1, 1)).toEqual({ alpha: 8, beta: 3 });
    expect(() => observed(PRIOR, 9, 8, 0.5)).toThrow(/9 successes in 8 trials/);
  });
});

describe("selectPrompts", () => {
  test("takes those whose rate is known to be near the target", () => {
    const posteriors = [
      { alpha: 1, beta: 1e6 },
      { alpha: 5e5, beta: 5e5 },
      { alpha: 1e6, beta: 1 },
      { alpha: 6e5, beta: 4e5 },
    ];
    expect(selectPrompts(posteriors, 2, 0.5, uniform(3))).toEqual([1, 3]);
    expect(selectPrompts(posteriors, 2, 1, uniform(3))).toEqual([2, 3]);
  });

  test("draws rates with the mean and variance of the Beta distribution", () => {
    // Of one prompt of Beta(a, b) and one that is known to lie at a/(a+b) +- s, the first is chosen as often as its
    // draw is nearer.
    const next = uniform(11);
    const [alpha, beta] = [3, 5];
    const draws = 20000;
    const centre = alpha / (alpha + beta);
    const variance = (alpha * beta) / ((alpha + beta) ** 2 * (alpha + beta + 1));
    // P(|X - centre| < s) for s = one standard deviation of Beta(3, 5) is 0.661 (numerical integral of its density).
    const [s, big] = [Math.sqrt(variance), 1e9];
    const known = { alpha: (centre + s) * big, beta: (1 - centre - s) * big };
    let nearer = 0;
    for (let i = 0; i < draws; i++) nearer += selectPrompts([{ alpha, beta }, known], 1, centre, next)[0] === 0 ? 1 : 0;
    const inside = integral(alpha, beta, centre - s, centre + s);
    expect(Math.abs(nearer / draws - inside)).toBeLessThan(4 * Math.sqrt((inside * (1 - inside)) / draws));
  });

  test("nothing known: every prompt is as likely", () => {
    const next = uniform(5);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 4000; i++)
      for (const index of selectPrompts([PRIOR, PRIOR, PRIOR, PRIOR], 2, 0.5, next))
        counts[index] = (counts[index] ?? 0) + 1;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(150);
  });
});

/** Integral of the density of Beta(alpha, beta) by the midpoint rule. */
function integral(alpha: number, beta: number, low: number, high: number): number {
  const density = (x: number) => x ** (alpha - 1) * (1 - x) ** (beta - 1);
  const sum = (from: number, to: number) => {
    const width = (to - from) / 10000;
    let total = 0;
    for (let i = 0; i < 10000; i++) total += density(from + (i + 0.5) * width) * width;
    return total;
  };
  return sum(low, high) / sum(0, 1);
}
