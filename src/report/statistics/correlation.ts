/** Correlation coefficients of two series, with p-values and intervals as if the pairs were independent. */
import { at } from "../../base/must";
import type { Interval } from "../../base/statistics";
import { logIncompleteBeta } from "./beta";
import { centred, type Series, sum } from "./moments";

export interface Correlation {
  /** Number of pairs. */
  readonly n: number;
  /** From -1 to 1; null with fewer than two pairs or where a series is constant. */
  readonly coefficient: number | null;
  /** coefficient * sqrt((n - 2) / (1 - coefficient^2)); null where that is not finite. */
  readonly t: number | null;
  /** Two-sided, from Student's t with n - 2 degrees of freedom; null with fewer than three pairs; 0 below 5e-324. */
  readonly p: number | null;
  /** log10 of p, right where p itself is too small for a double; null where p is null or exactly 0. */
  readonly log10P: number | null;
  /** Of 95%, by Fisher's transformation; null with fewer than four pairs or at +-1. */
  readonly fisher: Interval | null;
}

const Z_95 = 1.959963984540054;

/**
 * Product-moment correlation r.
 *
 * @param x finite numbers
 * @param y as many
 */
export function pearson(x: Series, y: Series): Correlation {
  const n = pairs(x, y);
  return described(productMoment(x, y), n);
}

/** Pearson's r of the average ranks (Spearman's rho, with ties). */
export function spearman(x: Series, y: Series): Correlation {
  const n = pairs(x, y);
  return described(productMoment(averageRanks(x), averageRanks(y)), n);
}

/** r alone; null where a series is constant or shorter than two. */
function productMoment(x: Series, y: Series): number | null {
  if (x.length < 2 || isConstant(x) || isConstant(y)) return null;
  const dx = unit(centred(x));
  const dy = unit(centred(y));
  if (dx === null || dy === null) return null;
  return Math.max(
    -1,
    Math.min(
      1,
      sum(dx, (value, i) => value * at(dy, i)),
    ),
  );
}

/**
 * The two-sided p-value of a correlation coefficient, as its natural logarithm: ln I_{1-r^2}((n-2)/2, 1/2), which is
 * 2 (1 - F_t(|t|; n-2)) with t = r sqrt((n-2)/(1-r^2)).
 *
 * @param r from -1 to 1
 * @param n more than 2; need not be whole (an effective sample size)
 */
export function logTwoSidedP(r: number, n: number): number {
  const logRest = 2 * Math.log(Math.abs(r));
  return logIncompleteBeta(Math.log1p(-r) + Math.log1p(r), logRest, (n - 2) / 2, 0.5);
}

/** {@link Correlation} around a known coefficient. */
export function described(coefficient: number | null, n: number): Correlation {
  if (coefficient === null || n < 3)
    return { n, coefficient: n < 2 ? null : coefficient, t: null, p: null, log10P: null, fisher: null };
  const t = coefficient * Math.sqrt((n - 2) / ((1 - coefficient) * (1 + coefficient)));
  const logP = logTwoSidedP(coefficient, n);
  return {
    n,
    coefficient,
    t: Number.isFinite(t) ? t : null,
    p: Math.exp(logP),
    log10P: Number.isFinite(logP) ? logP / Math.LN10 : null,
    fisher: fisherInterval(coefficient, n),
  };
}

/** tanh(atanh r +- 1.96 / sqrt(n - 3)): the 95% interval for independent pairs. */
function fisherInterval(r: number, n: number): Interval | null {
  if (n <= 3 || Math.abs(r) >= 1) return null;
  const z = Math.atanh(r);
  const half = Z_95 / Math.sqrt(n - 3);
  return [Math.tanh(z - half), Math.tanh(z + half)];
}

function pairs(x: Series, y: Series): number {
  if (x.length !== y.length) throw new RangeError(`${x.length} values of x but ${y.length} of y`);
  return x.length;
}

function isConstant(values: Series): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

/** The vector at length 1, scaled first so that no square over- or underflows. */
function unit(values: Float64Array): Float64Array | null {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0 || !Number.isFinite(largest)) return null;
  const length = largest * Math.sqrt(sum(values, (value) => (value / largest) ** 2));
  return values.map((value) => value / length);
}

/**
 * Ranks from 1, where equal values share the mean of the ranks they cover.
 *
 * @param values finite numbers
 */
export function averageRanks(values: Series): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  // ends[i]: one past the last value equal to sorted[i], known at the first of them.
  const ends = new Uint32Array(n);
  for (let start = 0; start < n; ) {
    let end = start + 1;
    while (end < n && sorted[end] === sorted[start]) end++;
    ends[start] = end;
    start = end;
  }
  return Float64Array.from(values, (value) => {
    const first = lowerBound(sorted, value);
    return (first + 1 + at(ends, first)) / 2;
  });
}

function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(sorted, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
