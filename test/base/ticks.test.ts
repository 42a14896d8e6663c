import { describe, expect, it } from "vitest";
import { roundedToTicks, tickStep, ticksWithin } from "../../src/base/ticks";

describe("ticks", () => {
  const ticks = (low: number, high: number, count: number) =>
    ticksWithin(low, high, tickStep(high - low, count)).map((tick) => Number(tick.toFixed(9)));

  it("are round and lie in the range", () => {
    expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticks(1, 40, 4)).toEqual([10, 20, 30, 40]);
    expect(ticks(-0.06, 0.06, 4)).toEqual([-0.05, 0, 0.05]);
    expect(ticksWithin(0, 1e-7, tickStep(1e-7, 2))).toHaveLength(3);
  });

  it("cover the range where the axis is to end at ticks", () => {
    expect(roundedToTicks(13, 86, tickStep(73, 5))).toEqual([0, 100]);
    expect(roundedToTicks(0.6, 0.8, 0.2)).toEqual([expect.closeTo(0.6, 12), 0.8]);
    expect(ticksWithin(-0.3, 0.3, 0.1)[3]).toBe(0);
  });
});
