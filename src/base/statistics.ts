/**
 * Means, deviations and quantiles of lists of numbers. Where a list has none, that is an error, or what the caller says
 * it is.
 */
import { at } from "./must";

/** Bounds of an interval. */
export type Interval = readonly [low: number, high: number];

/**
 * Mean of a list.
 *
 * @param ofNone the mean of an empty list, where that means something
 * @throws RangeError for an empty list without it
 */
export function mean(values: readonly number[], ofNone?: number): number {
  if (values.length > 0) return values.reduce((sum, value) => sum + value, 0) / values.length;
  if (ofNone === undefined) throw new RangeError("an empty list has no mean");
  return ofNone;
}

/** Standard deviation with divisor n - 1 (ddof 1); 0 of fewer than two values, which do not differ. */
export function sampleStandardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/**
 * Quantile of values in ascending order, by linear interpolation between order statistics.
 *
 * @param share from 0 to 1
 * @throws RangeError for an empty list
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = at(sorted, Math.floor(place));
  return below + (place - Math.floor(place)) * (at(sorted, Math.ceil(place)) - below);
}

/** The interval that leaves 2.5% of the values on either side. They need no order. */
export function interval95(values: Iterable<number>): Interval {
  const sorted = Float64Array.from(values).sort();
  return [quantile(sorted, 0.025), quantile(sorted, 0.975)];
}
