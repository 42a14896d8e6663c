/** Axis ticks: round positions on the range of an axis. */

/** Part of a step within which a number counts as a tick, for the rounding of quotients. */
const SLACK = 1e-9;

/**
 * Distance of ticks: the least of 1, 2 or 5 times a power of ten that leaves at most about `count` on a range above 0.
 */
export function tickStep(range: number, count: number): number {
  const raw = range / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5].find((each) => each * power >= raw * 0.999) ?? 10);
}

/** The multiples of a step from `low` to `high`. */
export function ticksWithin(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - SLACK);
  const last = Math.floor(high / step + SLACK);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** The range out to the next ticks on both sides. */
export function roundedToTicks(low: number, high: number, step: number): [low: number, high: number] {
  return [Math.floor(low / step + SLACK) * step, Math.ceil(high / step - SLACK) * step];
}
