import { describe, expect, it } from "vitest";
import { linePath, movingMean, rangeOf } from "../../src/web/curve";

it("a range shows all figures, and begins at 0 where none is below", () => {
  expect(rangeOf([2, 4, null])).toEqual({ low: 0, high: expect.closeTo(4.24) });
  expect(rangeOf([-1, 1])).toEqual({ low: expect.closeTo(-1.12), high: expect.closeTo(1.12) });
  expect(rangeOf([-3, -1])).toEqual({ low: expect.closeTo(-3.18), high: 0 });
  expect(rangeOf([0, 0])).toEqual({ low: 0, high: 1 });
  expect(rangeOf([null])).toEqual({ low: 0, high: 1 });
});

it("the moving mean looks back only, and skips what is missing", () => {
  expect(movingMean([1, 3, null, 5, 7], 3)).toEqual([1, 2, null, 4, 6]);
  expect(movingMean([1, 2], 1)).toEqual([1, 2]);
});

describe("a curve", () => {
  const same = (value: number) => value;

  it("breaks where a figure is missing", () => {
    expect(linePath([1, 2, 3, 4], [5, 6, null, 7], same, same)).toBe("M1.0 5.0L2.0 6.0M4.0 7.0");
    expect(linePath([], [], same, same)).toBe("");
  });

  it("of many points keeps the least and the greatest of each pixel", () => {
    const steps = Array.from({ length: 1000 }, (_, i) => i);
    const values = steps.map((step) => (step === 503 ? 99 : step === 507 ? -99 : 0));
    const path = linePath(steps, values, (step) => step / 10, same);
    expect(path).toContain(" 99.0");
    expect(path).toContain(" -99.0");
    expect(path.match(/[ML]/g)?.length).toBeLessThan(310);
  });
});
