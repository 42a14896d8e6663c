/** From the rewards of a batch to an advantage for every sampled token. */
import {
  centredAdvantages,
  checkFinite,
  checkShape,
  type Grouped,
  greedyBaselineAdvantages,
  groupAdvantages,
  leaveOneOutAdvantages,
  lengthWeightedAdvantages,
  type ScaleRewards,
} from "./advantages";
import { returnsToGo } from "./returns";
import { whiten } from "./whitening";

/**
 * - `reinforce`: returns-to-go of R_i.
 * - `reinforce_pp`: the same, whitened over the action tokens of the batch (REINFORCE++, arXiv 2501.03262).
 * - `reinforce_pp_baseline`: R_i - mean_G, whitened over the action tokens of the batch (the estimator of ZeroTIR).
 * - `rloo`, `grpo`, `opo`, `remax`: see advantages.ts. Dr. GRPO is `grpo` with `scaleRewards: none`.
 */
export const advantageEstimators = [
  "grpo",
  "reinforce",
  "reinforce_pp",
  "reinforce_pp_baseline",
  "rloo",
  "opo",
  "remax",
] as const;
export type AdvantageEstimator = (typeof advantageEstimators)[number];

export interface EstimatorOptions {
  readonly estimator: AdvantageEstimator;
  /** For grpo. */
  readonly scaleRewards: ScaleRewards;
  /** gamma of the returns-to-go of the reinforce estimators. */
  readonly discount: number;
}

export interface RewardedBatch {
  /** R_i of every trajectory. */
  readonly rewards: Grouped;
  /** n_i: sampled tokens of each, in the same shape. */
  readonly actionTokens: Grouped;
  /** For remax: reward of the greedy answer, one per group. */
  readonly greedyRewards?: readonly number[];
  /**
   * Reward of each sampled token besides the outcome, such as -beta times a KL estimate; none when absent. The reinforce estimators put them into the token's
   * return; for the others, which know one number per trajectory, their sum is added to R_i before the baseline.
   */
  readonly tokenRewards?: readonly (readonly ArrayLike<number>[])[];
}

/** Estimators that need more than one trajectory per group. */
export function comparesGroup(estimator: AdvantageEstimator): boolean {
  return estimator !== "reinforce" && estimator !== "reinforce_pp" && estimator !== "remax";
}

/**
 * A_it for every sampled token t of every trajectory i: groups, trajectories, tokens.
 * @throws RangeError when shapes differ, a number is not finite, or remax has no greedy rewards.
 */
export function tokenAdvantages(batch: RewardedBatch, options: EstimatorOptions): Float64Array[][] {
  const { rewards, actionTokens, tokenRewards } = batch;
  checkFinite(rewards, "reward");
  checkShape(rewards, actionTokens, "action token counts");
  if (tokenRewards !== undefined) checkShape(rewards, tokenRewards, "token rewards");
  const { estimator } = options;
  if (estimator === "reinforce" || estimator === "reinforce_pp" || estimator === "reinforce_pp_baseline") {
    const outcomes = estimator === "reinforce_pp_baseline" ? centredAdvantages(rewards) : rewards;
    const returns = outcomes.map((group, g) =>
      group.map((outcome, i) =>
        returnsToGo(outcome, tokenRewards?.[g]?.[i] ?? new Float64Array(actionTokens[g]?.[i] ?? 0), options.discount),
      ),
    );
    return estimator === "reinforce" ? returns : whitenGroups(returns);
  }
  const shaped = rewards.map((group, g) => group.map((reward, i) => reward + sum(tokenRewards?.[g]?.[i] ?? [])));
  const advantages = trajectoryAdvantages(shaped, batch, options);
  return advantages.map((group, g) =>
    group.map((advantage, i) => new Float64Array(actionTokens[g]?.[i] ?? 0).fill(advantage)),
  );
}

function trajectoryAdvantages(rewards: Grouped, batch: RewardedBatch, options: EstimatorOptions): number[][] {
  switch (options.estimator) {
    case "rloo":
      return leaveOneOutAdvantages(rewards);
    case "opo":
      return lengthWeightedAdvantages(rewards, batch.actionTokens);
    case "remax":
      if (batch.greedyRewards === undefined) throw new RangeError("remax needs the rewards of greedy answers");
      return greedyBaselineAdvantages(rewards, batch.greedyRewards);
    default:
      return groupAdvantages(rewards, { scaleRewards: options.scaleRewards });
  }
}

function whitenGroups(groups: readonly Float64Array[][]): Float64Array[][] {
  const white = whiten(groups.flat());
  let at = 0;
  return groups.map((group) => group.map(() => white[at++] ?? new Float64Array()));
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let t = 0; t < values.length; t++) total += values[t] ?? 0;
  return total;
}
