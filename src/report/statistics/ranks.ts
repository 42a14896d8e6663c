import type { Series } from "./moments";

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
    return (first + 1 + (ends[first] ?? 0)) / 2;
  });
}

function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
