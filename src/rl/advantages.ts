/** Baselines and scales of rewards: one advantage per trajectory; and whitening over the tokens of a batch. */
import { at } from "../base/must";
import { mean, sampleStandardDeviation } from "../base/statistics";
import { checkFinite, checkShape } from "./checks";

/** One number per trajectory, in groups of trajectories that answer the same prompt. Groups may differ in size. */
export type Grouped = readonly (readonly number[])[];

/**
 * What divides the centred rewards: `group` the sample standard deviation of the own group (GRPO); `batch` the one of
 * all rewards of the batch; `none` nothing (Dr. GRPO, arXiv 2503.20783).
 */
export type ScaleRewards = "group" | "batch" | "none";

export interface GroupAdvantageOptions {
  /** Default `group`. */
  readonly scaleRewards?: ScaleRewards;
  /** Added to the standard deviation; default 1e-6. */
  readonly epsilon?: number;
}

/**
 * Group-relative advantages (GRPO, arXiv 2402.03300): A_i = (R_i - mean_G) / (sd + epsilon), sd with divisor n - 1. A
 * group of one has nothing to compare with: its advantage is 0.
 * @param rewards R_i. @throws RangeError when a reward is not finite.
 */
export function groupAdvantages(rewards: Grouped, options: GroupAdvantageOptions = {}): number[][] {
  const centred = centredAdvantages(rewards);
  const scale = options.scaleRewards ?? "group";
  if (scale === "none") return centred;
  const epsilon = options.epsilon ?? 1e-6;
  const batchDeviation = scale === "batch" ? sampleStandardDeviation(rewards.flat()) : 0;
  return centred.map((group, g) => {
    const deviation = scale === "batch" ? batchDeviation : sampleStandardDeviation(at(rewards, g));
    return group.map((value) => value / (deviation + epsilon));
  });
}

/**
 * R_i - mean_G: Dr. GRPO, and REINFORCE++-baseline before it is whitened. A group of equal rewards gives exact zeros:
 * the rounding of the mean must not become an advantage that whitening enlarges.
 * @throws RangeError when a reward is not finite.
 */
export function centredAdvantages(rewards: Grouped): number[][] {
  checkFinite(rewards, "reward");
  return rewards.map((group) => centreGroup(group, mean(group)));
}

/**
 * Leave-one-out baseline (RLOO, arXiv 2402.14740): A_i = R_i - mean of the others = G / (G - 1) (R_i - mean_G). 0 in a
 * group of one.
 * @throws RangeError when a reward is not finite.
 */
export function leaveOneOutAdvantages(rewards: Grouped): number[][] {
  return centredAdvantages(rewards).map((group) =>
    group.map((value) => (group.length < 2 ? 0 : (value * group.length) / (group.length - 1))),
  );
}

/**
 * Baseline weighted by length (OPO, arXiv 2505.23585): A_i = R_i - sum_j n_j R_j / sum_j n_j, which has the least
 * variance where a trajectory's squared score grows with its length.
 * @param actionTokens n_i, in the shape of `rewards`. @throws RangeError when the shapes differ or a number is not
 * finite.
 */
export function lengthWeightedAdvantages(rewards: Grouped, actionTokens: Grouped): number[][] {
  checkFinite(rewards, "reward");
  checkFinite(actionTokens, "number of action tokens");
  checkShape(rewards, actionTokens, "action token counts");
  return rewards.map((group, g) => {
    const counts = at(actionTokens, g);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const weighted = group.reduce((sum, reward, i) => sum + reward * at(counts, i), 0);
    return centreGroup(group, total === 0 ? mean(group) : weighted / total);
  });
}

/**
 * Baseline of the greedy answer (ReMax, arXiv 2310.10505): A_i = R_i - R(greedy answer to the same prompt).
 * @param greedyRewards one per group. @throws RangeError when their number differs or a reward is not finite.
 */
export function greedyBaselineAdvantages(rewards: Grouped, greedyRewards: readonly number[]): number[][] {
  checkFinite(rewards, "reward");
  checkFinite([greedyRewards], "greedy reward");
  if (rewards.length !== greedyRewards.length)
    throw new RangeError(`${rewards.length} groups but ${greedyRewards.length} rewards of greedy answers`);
  return rewards.map((group, g) => group.map((reward) => reward - at(greedyRewards, g)));
}

function centreGroup(group: readonly number[], centre: number): number[] {
  return group.every((value) => value === group[0]) ? group.map(() => 0) : group.map((value) => value - centre);
}

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

/** {@link whiten} over groups of trajectories of tokens, in their shape. */
export function whitenGroups(groups: readonly (readonly Float64Array[])[]): Float64Array[][] {
  const white = whiten(groups.flat());
  let next = 0;
  return groups.map((group) => group.map(() => at(white, next++)));
}
