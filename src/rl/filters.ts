/**
 * What is left out of the loss: groups that are too easy or too hard leave the batch; a single trajectory (k_i = 0)
 * leaves it after its reward has counted for its group's baseline.
 */
import { mean } from "../base/statistics";

/** A group is kept when low + 1e-6 < mean answer reward < high - 1e-6. ZeroTIR: 0.05 and 0.8; DAPO: 0 and 1. */
export interface GroupBounds {
  readonly low: number;
  readonly high: number;
}

const MARGIN = 1e-6;

/** Whether a group with these answer rewards (0 or 1 each) lies inside the bounds. An empty group does not. */
export function keepsGroup(answerRewards: readonly number[], bounds: GroupBounds): boolean {
  if (answerRewards.length === 0) return false;
  const centre = mean(answerRewards);
  return centre > bounds.low + MARGIN && centre < bounds.high - MARGIN;
}

export interface FilteredGroups<T> {
  readonly kept: T[];
  readonly dropped: T[];
  /** 100 * kept / generated trajectories, `dynamic_filtering_pass_rate`; 0 of nothing. */
  readonly passRate: number;
}

/**
 * Group filter of ZeroTIR and DAPO ("dynamic sampling"): prompts that are too easy or too hard for the policy of the
 * moment leave the batch.
 * @param answerRewardsOf the answer rewards of a group's trajectories.
 * @param bounds everything is kept when absent.
 */
export function filterGroups<T>(
  groups: readonly T[],
  answerRewardsOf: (group: T) => readonly number[],
  bounds?: GroupBounds,
): FilteredGroups<T> {
  const kept: T[] = [];
  const dropped: T[] = [];
  let keptTrajectories = 0;
  let trajectories = 0;
  for (const group of groups) {
    const rewards = answerRewardsOf(group);
    const keep = bounds === undefined || keepsGroup(rewards, bounds);
    (keep ? kept : dropped).push(group);
    trajectories += rewards.length;
    if (keep) keptTrajectories += rewards.length;
  }
  return { kept, dropped, passRate: trajectories === 0 ? 0 : (100 * keptTrajectories) / trajectories };
}

/** `frac_reward_zero_std`: the share of groups whose rewards are all equal, which teach nothing; 0 of no group. */
export function fractionWithoutVariance(rewards: readonly (readonly number[])[]): number {
  const flat = rewards.filter((group) => group.every((reward) => reward === group[0]));
  return rewards.length === 0 ? 0 : flat.length / rewards.length;
}

/** What the masks look at, per trajectory. */
export interface SampleFacts {
  readonly correct: boolean;
  /** Ended because the length was spent. */
  readonly truncated: boolean;
  /** Holds a final answer, right or wrong. */
  readonly answered: boolean;
  /** Complete Python blocks, blocks of output, and opened Python fences in the whole text. */
  readonly codeBlocks: number;
  readonly outputBlocks: number;
  readonly openedBlocks: number;
  /** Programs that were run. */
  readonly executions: number;
  /** Share of substrings, and of word trigrams, that occur before. */
  readonly repeatness: number;
  readonly trigramRepetition: number;
}

/** ZeroTIR's limits for a response that repeats itself. */
const REPEATNESS = 0.2;
const TRIGRAM_REPETITION = 0.6;

/**
 * - `overlong_wrong`: cut off by the length, and wrong (ZeroTIR).
 * - `hallucinated_output`: right, but fences and executions do not match: an output that no program gave (ZeroTIR's
 *   "shortcut").
 * - `repetition`: without an answer, and more than 0.2 of its substrings or 0.6 of its trigrams are repeated (ZeroTIR's
 *   "void").
 * - `void_turn`: the trajectory ends without an answer, be it by a turn that does nothing or by the length (after
 *   SimpleTIR, arXiv 2509.02479).
 */
export const sampleMasks = {
  overlong_wrong: ({ truncated, correct }) => truncated && !correct,
  hallucinated_output: ({ correct, codeBlocks, outputBlocks, openedBlocks, executions }) =>
    correct && (codeBlocks !== outputBlocks || codeBlocks !== openedBlocks || executions !== outputBlocks),
  repetition: ({ answered, repeatness, trigramRepetition }) =>
    !answered && (repeatness > REPEATNESS || trigramRepetition > TRIGRAM_REPETITION),
  void_turn: ({ answered }) => !answered,
} as const satisfies Record<string, (facts: SampleFacts) => boolean>;

export type SampleMask = keyof typeof sampleMasks;
export const sampleMaskNames = Object.keys(sampleMasks).filter((name): name is SampleMask =>
  Object.hasOwn(sampleMasks, name),
);
