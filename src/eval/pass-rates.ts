/** How often a model solves each of some prompts: what a run of RL on them would start from. */
import { mean } from "../base/statistics";

/** The distribution of alpha, a prompt's share of right answers among K. */
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
  for (const count of right) histogram[count] = (histogram[count] ?? 0) + 1;
  const atZero = (histogram[0] ?? 0) / right.length;
  const atOne = (histogram[generations] ?? 0) / right.length;
  return {
    histogram,
    atZero,
    atOne,
    between: right.filter((count) => count > 0 && count < generations).length / right.length,
    influence: mean(right.map((count) => Math.sqrt((count / generations) * (1 - count / generations)))),
  };
}
