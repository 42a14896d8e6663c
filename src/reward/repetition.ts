/** How much a text repeats itself, in two measures that ZeroTIR logs. */

/**
 * Share of a text's substrings that occur before: 1 - distinct / (n (n + 1) / 2) over UTF-16 units, which is
 * 2 sum(LCP) / (n (n + 1)) of the suffix array's longest common prefixes. 0 of no more than one unit. Time n log n.
 */
export function repeatness(text: string): number {
  const n = text.length;
  if (n <= 1) return 0;
  return (2 * sumOfCommonPrefixes(text, suffixRanks(text))) / (n * (n + 1));
}

/**
 * Rank of each suffix, by prefix doubling with counting sorts. Units are ordered as they come first, since common
 * prefixes ask only that equal ones stand together. Here and below, indices exist by construction, and every graded
 * answer passes the loops, so they read typed arrays as they are.
 */
function suffixRanks(text: string): Int32Array {
  const n = text.length;
  // The units that occur: few, where all that there could be are 65 536.
  const numbers = new Map<number, number>();
  let rank = Int32Array.from({ length: n }, (_, i) => {
    const unit = text.charCodeAt(i);
    const number = numbers.get(unit) ?? numbers.size;
    numbers.set(unit, number);
    return number;
  });
  let order = countingSort(
    Int32Array.from({ length: n }, (_, i) => i),
    rank,
    numbers.size,
  );
  let next = new Int32Array(n);
  for (let width = 0; ; width = Math.max(1, 2 * width)) {
    const second = (suffix: number) => (suffix + width < n ? (rank[suffix + width] as number) : -1);
    if (width > 0) {
      // Ordered by the second half: suffixes without one first, then by the order that is known.
      const bySecond = new Int32Array(n);
      let place = 0;
      for (let suffix = n - width; suffix < n; suffix++) bySecond[place++] = suffix;
      for (const suffix of order) if (suffix >= width) bySecond[place++] = suffix - width;
      order = countingSort(bySecond, rank, n);
    }
    let classes = 0;
    for (let i = 0; i < n; i++) {
      const here = order[i] as number;
      const before = i > 0 ? (order[i - 1] as number) : -1;
      if (before >= 0 && (rank[before] !== rank[here] || (width > 0 && second(before) !== second(here)))) classes++;
      next[here] = classes;
    }
    [rank, next] = [next, rank];
    if (classes === n - 1) return rank;
  }
}

/** The items in the order of their keys (below `keys`), stable. */
function countingSort(items: Int32Array, key: Int32Array, keys: number): Int32Array<ArrayBuffer> {
  const starts = new Int32Array(keys + 1);
  for (const item of items) {
    (starts[(key[item] as number) + 1] as number) += 1;
  }
  for (let slot = 1; slot <= keys; slot++) (starts[slot] as number) += starts[slot - 1] as number;
  const sorted = new Int32Array(items.length);
  for (const item of items) {
    const slot = key[item] as number;
    const place = starts[slot] as number;
    sorted[place] = item;
    starts[slot] = place + 1;
  }
  return sorted;
}

/** Sum of the longest common prefixes of neighbours in suffix order (Kasai et al., 2001). */
function sumOfCommonPrefixes(text: string, rank: Int32Array): number {
  const n = text.length;
  const order = new Int32Array(n);
  rank.forEach((position, suffix) => {
    order[position] = suffix;
  });
  let sum = 0;
  let common = 0;
  for (let suffix = 0; suffix < n; suffix++) {
    const position = rank[suffix] as number;
    if (position === 0) {
      common = 0;
      continue;
    }
    const before = order[position - 1] as number;
    while (
      suffix + common < n &&
      before + common < n &&
      text.charCodeAt(suffix + common) === text.charCodeAt(before + common)
    )
      common++;
    sum += common;
    if (common > 0) common--;
  }
  return sum;
}

/**
 * 1 - distinct / total of the word trigrams, words being lower-cased and parted by white space; 0 of fewer than three
 * words.
 */
export function trigramRepetition(text: string): number {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const total = words.length - 2;
  if (total < 1) return 0;
  const distinct = new Set(Array.from({ length: total }, (_, i) => words.slice(i, i + 3).join(" ")));
  return 1 - distinct.size / total;
}
