/**
 * Moving-block bootstrap (Künsch 1989): intervals of a correlation that allow for neighbours that resemble each other.
 */
import { CounterRandom } from "../../base/random";
import { type Interval, interval95 } from "../../base/statistics";
import { averageRanks } from "./correlation";
import type { Series } from "./moments";

export interface BootstrapIntervals {
  /** Points per block. */
  readonly blockLength: number;
  readonly replicates: number;
  readonly seed: number;
  /** Of 95%; null where more than one replicate in twenty has no coefficient. */
  readonly spearman: Interval | null;
  readonly pearson: Interval | null;
}

const MOST_REPLICATES = 2000;
const FEWEST_REPLICATES = 200;
/** Points drawn in all: keeps a long run within some seconds. */
const BUDGET = 2e7;
const FEWEST_POINTS = 8;

/**
 * Points per block for series with these lag-1 autocorrelations: n^(1/3) (2 a / (1 - a^2))^(2/3) with the larger |a|,
 * Carlstein's rule (1986) for AR(1) series, at least n^(1/3) and at most n / 4.
 */
export function blockLength(n: number, a: number, b: number): number {
  const strongest = Math.min(0.999, Math.max(Math.abs(a), Math.abs(b)));
  const root = Math.cbrt(n);
  const ruled = root * ((2 * strongest) / (1 - strongest ** 2)) ** (2 / 3);
  return Math.max(1, Math.min(Math.floor(n / 4), Math.ceil(Math.max(root, ruled))));
}

/**
 * Percentile intervals of rho and r: stretches of neighbouring pairs are drawn with replacement until there are n
 * pairs, so that the memory within a block survives. Ranks are taken anew in each replicate.
 *
 * @param length points per block, from 1 to n
 * @param seed 32-bit; each replicate has a stream of its own
 * @returns null with fewer than 8 points or more than 100,000
 */
export function blockBootstrap(x: Series, y: Series, length: number, seed: number): BootstrapIntervals | null {
  const n = x.length;
  if (n < FEWEST_POINTS || n * FEWEST_REPLICATES > BUDGET) return null;
  const replicates = Math.max(FEWEST_REPLICATES, Math.min(MOST_REPLICATES, Math.floor(BUDGET / n)));
  const rankX = new Resampler(x);
  const rankY = new Resampler(y);
  const picks = new Uint32Array(n);
  const rhos: number[] = [];
  const rs: number[] = [];
  for (let replicate = 0; replicate < replicates; replicate++) {
    const random = new CounterRandom(seed, replicate);
    for (let filled = 0; filled < n; ) {
      const start = random.integer(0, n - length);
      for (let i = 0; i < length && filled < n; i++) picks[filled++] = start + i;
    }
    const rho = quickMoment(rankX.ranks(picks), rankY.ranks(picks));
    const r = quickMoment(rankX.values(picks), rankY.values(picks));
    if (rho !== null) rhos.push(rho);
    if (r !== null) rs.push(r);
  }
  return {
    blockLength: length,
    replicates,
    seed,
    spearman: percentileInterval(rhos, replicates),
    pearson: percentileInterval(rs, replicates),
  };
}

/**
 * A series from which values, and the average ranks of those values, are picked in linear time. Its loops and those of
 * r run some 10^7 times, over indices that exist by construction, so they read typed arrays as they are.
 */
class Resampler {
  readonly #values: Float64Array;
  /** Twice the average rank less one: a whole number that orders values as they are ordered. */
  readonly #keys: Uint32Array;
  readonly #counts: Uint32Array;
  readonly #out: Float64Array;

  constructor(values: Series) {
    this.#values = Float64Array.from(values);
    this.#keys = Uint32Array.from(averageRanks(values), (rank) => 2 * rank - 1);
    this.#counts = new Uint32Array(2 * values.length);
    this.#out = new Float64Array(values.length);
  }

  values(picks: Uint32Array): Float64Array {
    const [values, out] = [this.#values, this.#out];
    for (let i = 0; i < picks.length; i++) out[i] = values[picks[i] as number] as number;
    return out;
  }

  ranks(picks: Uint32Array): Float64Array {
    const [keys, out] = [this.#keys, this.#out];
    const counts = this.#counts.fill(0);
    for (const pick of picks) (counts[keys[pick] as number] as number) += 1;
    // From counts to the sum of the first and the last rank of each key.
    let before = 0;
    for (let key = 0; key < counts.length; key++) {
      const count = counts[key] as number;
      counts[key] = 2 * before + count + 1;
      before += count;
    }
    for (let i = 0; i < picks.length; i++) out[i] = (counts[keys[picks[i] as number] as number] as number) / 2;
    return out;
  }
}

/** r in plain sums: the interval's width drowns their rounding, and thousands of replicates want them fast. */
function quickMoment(x: Float64Array, y: Float64Array): number | null {
  const n = x.length;
  let [meanX, meanY] = [0, 0];
  for (const value of x) meanX += value / n;
  for (const value of y) meanY += value / n;
  let [xx, xy, yy] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const dx = (x[i] as number) - meanX;
    const dy = (y[i] as number) - meanY;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  // Of equal values only the rounding of their mean is left.
  if (xx <= n * (1e-12 * meanX) ** 2 || yy <= n * (1e-12 * meanY) ** 2) return null;
  const r = xy / Math.sqrt(xx * yy);
  return Number.isFinite(r) ? Math.max(-1, Math.min(1, r)) : null;
}

function percentileInterval(values: readonly number[], drawn: number): Interval | null {
  return values.length < 0.95 * drawn ? null : interval95(values);
}
