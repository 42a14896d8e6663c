import { describe, expect, test } from "vitest";
import { learningRateAt, type Schedule } from "../../src/session/optimizer-settings";

const schedule = (changes: Partial<Schedule>): Schedule => ({
  name: "constant",
  peak: 2,
  warmupSteps: 0,
  totalSteps: 10,
  finalFraction: 0,
  decaySteps: 2,
  ...changes,
});
const rates = (changes: Partial<Schedule>, steps = 10) =>
  Array.from({ length: steps }, (_, i) => learningRateAt(schedule(changes), i + 1));

describe("learning rate of updates 1 to 10", () => {
  test("constant", () => {
    expect(rates({})).toEqual(new Array(10).fill(2));
  });

  test("warm-up rises in equal steps to the peak, whatever follows", () => {
    for (const name of ["constant", "linear", "cosine", "wsd"] as const)
      expect(rates({ name, warmupSteps: 4 }).slice(0, 4)).toEqual([0.5, 1, 1.5, 2]);
  });

  test("linear comes down to the final share", () => {
    const values = rates({ name: "linear", finalFraction: 0.1 });
    expect(values[0]).toBe(2);
    expect(values[5]).toBeCloseTo(2 * (0.1 + 0.9 * 0.5), 12);
    expect(values[9]).toBeCloseTo(2 * (0.1 + 0.9 * 0.1), 12);
  });

  test("the last update of a decay to 0 still has a rate", () => {
    for (const name of ["linear", "cosine", "wsd"] as const) {
      expect(rates({ name })[9]).toBeGreaterThan(0);
      expect(learningRateAt(schedule({ name, totalSteps: 1 }), 1)).toBe(2);
    }
  });

  test("cosine: half way down half of the range, at the end the final share", () => {
    const values = rates({ name: "cosine", warmupSteps: 2, finalFraction: 0.1 });
    expect(values[6]).toBeCloseTo(2 * 0.55, 12);
    expect(values[9]).toBeCloseTo(2 * (0.1 + (0.9 * (1 + Math.cos((7 / 8) * Math.PI))) / 2), 12);
    values.slice(1).forEach((value, i) => {
      expect(value).toBeLessThanOrEqual(i === 0 ? 2 : (values[i] ?? 0));
    });
  });

  test("warm-up, stable, decay", () => {
    const values = rates({ name: "wsd", warmupSteps: 2, finalFraction: 0.5, decaySteps: 4 });
    expect(values.slice(1, 6)).toEqual([2, 2, 2, 2, 2]);
    [2, 1.75, 1.5, 1.25].forEach((rate, i) => {
      expect(values[6 + i]).toBeCloseTo(rate, 12);
    });
  });

  test("the stable phase does not depend on the end, so a decay branches off any of its steps", () => {
    const wsd = { name: "wsd", warmupSteps: 2, finalFraction: 0.5 } as const;
    expect(rates({ ...wsd, totalSteps: 12, decaySteps: 0 }, 12)).toEqual([1, ...new Array(11).fill(2)]);
    const branch = rates({ ...wsd, totalSteps: 12, decaySteps: 4 }, 12);
    expect(branch.slice(0, 8)).toEqual(rates({ ...wsd, totalSteps: 100, decaySteps: 0 }, 8));
    expect(branch.slice(8)).toEqual([2, 1.75, 1.5, 1.25]);
  });

  test("all steps warm-up, one step, a run that goes on past its end", () => {
    expect(rates({ name: "cosine", warmupSteps: 10 })[9]).toBe(2);
    expect(Number.isFinite(learningRateAt(schedule({ name: "wsd", totalSteps: 1 }), 1))).toBe(true);
    expect(learningRateAt(schedule({ name: "linear" }), 15)).toBe(0);
  });
});
