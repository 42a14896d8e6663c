/** Serial correlation: what the memory from step to step does to a correlation. */
import { at } from "../../base/must";
import { centred, type Series, sum } from "./moments";

/** Differences of neighbouring points: one fewer than the values. */
export function firstDifferences(values: Series): Float64Array {
  return Float64Array.from({ length: Math.max(0, values.length - 1) }, (_, i) => at(values, i + 1) - at(values, i));
}

/**
 * Lag-1 autocorrelation: sum of d_i d_{i+1} over sum of d_i^2, where d is the series less its mean; null of a constant
 * or of fewer than three values.
 */
export function lagOneAutocorrelation(values: Series): number | null {
  if (values.length < 3) return null;
  const d = centred(values);
  const squares = sum(d, (value) => value ** 2);
  if (squares === 0) return null;
  return sum(d.subarray(1), (value, i) => at(d, i) * value) / squares;
}

/**
 * Number of independent pairs that would tell as much about a correlation: n (1 - a b) / (1 + a b) with the two lag-1
 * autocorrelations (Bartlett 1935, both series AR(1)), kept between 2 and n.
 */
export function effectiveSampleSize(n: number, a: number, b: number): number {
  const product = a * b;
  return Math.min(n, Math.max(2, (n * (1 - product)) / (1 + product)));
}
