/** Axis ticks: round positions for the range of an axis. */

export interface TickPositions {
  /** Where the axis begins and ends. */
  readonly low: number;
  readonly high: number;
  /** Distance of neighbours: 1, 2 or 5 times a power of ten. */
  readonly step: number;
  readonly at: readonly number[];
}

/**
 * Multiples of the least step of 1, 2 or 5 times a power of ten that gives about `count` intervals.
 *
 * @param high above `low`
 * @param rounded whether the axis ends at a tick on both sides, rather than where the data end
 */
export function tickPositions(low: number, high: number, count: number, rounded = false): TickPositions {
  const raw = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((each) => each * power >= raw * 0.999) ?? 10);
  const slack = 1e-9 * step;
  const first = rounded ? Math.floor((low + slack) / step) : Math.ceil((low - slack) / step);
  const last = rounded ? Math.ceil((high - slack) / step) : Math.floor((high + slack) / step);
  return {
    low: rounded ? first * step : low,
    high: rounded ? last * step : high,
    step,
    at: Array.from({ length: last - first + 1 }, (_, i) => (first + i === 0 ? 0 : (first + i) * step)),
  };
}
