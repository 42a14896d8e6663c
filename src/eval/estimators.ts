/** Estimators over K samples per question: pass@k, maj@k, and how often a model solves each of some prompts. */
import { at } from "../base/must";
import { mean } from "../base/statistics";

/**
 * Unbiased pass@k of n samples of which c are right: 1 - C(n - c, k) / C(n, k) (Chen et al. 2021, arXiv 2107.03374).
 */
export function passAtK(n: number, c: number, k: number): number {
  if (k > n) throw new RangeError(`pass@${k} needs at least ${k} samples, not ${n}`);
  if (n - c < k) return 1;
  let miss = 1;
  for (let i = n - c + 1; i <= n; i++) miss *= 1 - k / i;
  return 1 - miss;
}

/**
 * Whether the most frequent answer is right (maj@k). Right answers are one class, since each equals the gold one; wrong
 * ones are compared as text. No answer (null) is no vote; of equally frequent classes the first wins.
 */
export function majorityIsRight(
  votes: readonly { readonly answer: string | null; readonly correct: boolean }[],
): boolean {
  const right = { count: 0, correct: true };
  const tally = new Map<string | typeof right, { count: number; correct: boolean }>();
  for (const { answer, correct } of votes) {
    if (answer === null) continue;
    const entry = correct ? right : (tally.get(answer) ?? { count: 0, correct });
    entry.count++;
    tally.set(correct ? right : answer, entry);
  }
  let best: { count: number; correct: boolean } | undefined;
  for (const entry of tally.values()) if (best === undefined || entry.count > best.count) best = entry;
  return best?.correct ?? false;
}

/**
 * What a run of RL on some prompts would start from: the distribution of alpha, a prompt's share of right answers
 * among K.
 */
export interface PassRates {
  /** K + 1 numbers of prompts: entry k is how many have k right answers. */
  readonly histogram: readonly number[];
  /** Shares of prompts: never right, always right, and in between. */
  readonly atZero: number;
  readonly atOne: number;
  readonly between: number;
  /**
   * Mean of sqrt(alpha (1 - alpha)), from 0 to 1/2: the factor of alpha in a prompt's influence on the GRPO objective
   * (Behavior Injection, arXiv 2505.18917).
   */
  readonly influence: number;
}

/**
 * @param right of each prompt, its number of right answers; at least one prompt
 * @param generations K; with 1 nothing is in between, whatever the model
 */
export function passRates(right: readonly number[], generations: number): PassRates {
  const histogram = new Array<number>(generations + 1).fill(0);
  for (const count of right) histogram[count] = at(histogram, count) + 1;
  const atZero = at(histogram, 0) / right.length;
  const atOne = at(histogram, generations) / right.length;
  return {
    histogram,
    atZero,
    atOne,
    between: right.filter((count) => count > 0 && count < generations).length / right.length,
    influence: mean(right.map((count) => Math.sqrt((count / generations) * (1 - count / generations)))),
  };
}
