/** Variance below which whitening divides by the root of this instead. */
const LEAST_VARIANCE = 1e-10;

/**
 * (x - mu) / sqrt(max(var, 1e-10)) with mean and variance (divisor: their number) of all values of all lists: over the
 * action tokens of a whole batch, where a long trajectory counts more (OpenRLHF, verl).
 * @throws RangeError when a number is not finite.
 */
export function whiten(lists: readonly Float64Array[]): Float64Array[] {
  let count = 0;
  let sum = 0;
  for (const list of lists)
    for (const value of list) {
      if (!Number.isFinite(value)) throw new RangeError(`an advantage is ${value}, not a finite number`);
      sum += value;
      count++;
    }
  const centre = count === 0 ? 0 : sum / count;
  let squares = 0;
  for (const list of lists) for (const value of list) squares += (value - centre) ** 2;
  const deviation = Math.sqrt(Math.max(count === 0 ? 0 : squares / count, LEAST_VARIANCE));
  return lists.map((list) => list.map((value) => (value - centre) / deviation));
}
