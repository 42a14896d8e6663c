/** Sums that keep their digits over a million points (Neumaier 1974), and what is made of them. */
import { at } from "../../base/must";

export type Series = ArrayLike<number>;

export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** With divisor n - 1; null of fewer than two values. */
  readonly standardDeviation: number | null;
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * Sum by Neumaier's compensated addition: its error does not grow with the number of terms.
 *
 * @param term what is summed of each value; by default the value itself
 */
export function sum(values: Series, term: (value: number, index: number) => number = (value) => value): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = term(at(values, i), i);
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

/** Mean by the compensated sum. @throws RangeError for an empty series, as every mean */
export function compensatedMean(values: Series): number {
  if (values.length === 0) throw new RangeError("an empty series has no mean");
  return sum(values) / values.length;
}

/** Values less their mean. */
export function centred(values: Series): Float64Array {
  const centre = compensatedMean(values);
  return Float64Array.from(values, (value) => value - centre);
}

/** Figures of a series of at least one value. */
export function summarise(values: Series): Summary {
  const n = values.length;
  const centre = compensatedMean(values);
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (const value of Array.from(values)) {
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  const squares = sum(values, (value) => (value - centre) ** 2);
  return { n, mean: centre, standardDeviation: n < 2 ? null : Math.sqrt(squares / (n - 1)), minimum, maximum };
}
