/** Sums that keep their digits over a million points, and what is made of them. */

export type Series = ArrayLike<number>;

export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** With divisor n - 1; null of fewer than two values. */
  readonly standardDeviation: number | null;
  readonly minimum: number;
  readonly maximum: number;
}

/** Sum by Neumaier's compensated addition: its error does not grow with the number of terms. */
export function sum(length: number, term: (index: number) => number): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < length; i++) {
    const value = term(i);
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

/** Mean; NaN of an empty series. */
export function mean(values: Series): number {
  return sum(values.length, (i) => values[i] ?? 0) / values.length;
}

/** Values less their mean. */
export function centred(values: Series): Float64Array {
  const centre = mean(values);
  return Float64Array.from(values, (value) => value - centre);
}

/** Figures of a series of at least one value. */
export function summarise(values: Series): Summary {
  const n = values.length;
  const centre = mean(values);
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const value = values[i] ?? 0;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  const squares = sum(n, (i) => ((values[i] ?? 0) - centre) ** 2);
  return { n, mean: centre, standardDeviation: n < 2 ? null : Math.sqrt(squares / (n - 1)), minimum, maximum };
}
