/** What the order of the points does to a correlation: memory from step to step. */
import { centred, type Series, sum } from "./moments";

/** Differences of neighbouring points: one fewer than the values. */
export function firstDifferences(values: Series): Float64Array {
  return Float64Array.from(
    { length: Math.max(0, values.length - 1) },
    (_, i) => (values[i + 1] ?? 0) - (values[i] ?? 0),
  );
}

/** Lag-1 autocorrelation: sum of d_i d_{i+1} over sum of d_i^2, d less its mean; null of a constant or of fewer than three values. */
export function lagOneAutocorrelation(values: Series): number | null {
  if (values.length < 3) return null;
  const d = centred(values);
  const squares = sum(d.length, (i) => (d[i] ?? 0) ** 2);
  if (squares === 0) return null;
  return sum(d.length - 1, (i) => (d[i] ?? 0) * (d[i + 1] ?? 0)) / squares;
}

/**
 * Number of independent pairs that would tell as much about a correlation: n (1 - a b) / (1 + a b) with the two lag-1
 * autocorrelations (Bartlett 1935, both series AR(1)), kept between 2 and n.
 */
export function effectiveSampleSize(n: number, a: number, b: number): number {
  const product = a * b;
  return Math.min(n, Math.max(2, (n * (1 - product)) / (1 + product)));
}
