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
