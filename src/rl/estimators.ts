/** Advantage estimators: from the rewards of a batch to an advantage for every sampled token. */
import { at } from "../base/must";
import {
  centredAdvantages,
  type Grouped,
  greedyBaselineAdvantages,
  groupAdvantages,
  leaveOneOutAdvantages,
  lengthWeightedAdvantages,
  type ScaleRewards,
  whitenGroups,
} from "./advantages";
import { checkFinite, checkShape } from "./checks";

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
   * Reward of each sampled token besides the outcome, such as -beta times a KL estimate; none when absent. They come
   * after baseline and scale, which are of the outcomes alone: a token's advantage is that of its trajectory and the
   * sum of these rewards from it on (discounted by the reinforce estimators).
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
  const discount = DISCOUNTED.has(options.estimator) ? options.discount : 1;
  const returns = trajectoryAdvantages(batch, options).map((group, g) =>
    group.map((advantage, i) =>
      returnsToGo(
        advantage,
        tokenRewards === undefined ? new Float64Array(at(at(actionTokens, g), i)) : at(at(tokenRewards, g), i),
        discount,
      ),
    ),
  );
  return WHITENED.has(options.estimator) ? whitenGroups(returns) : returns;
}

const DISCOUNTED: ReadonlySet<AdvantageEstimator> = new Set(["reinforce", "reinforce_pp", "reinforce_pp_baseline"]);
const WHITENED: ReadonlySet<AdvantageEstimator> = new Set(["reinforce_pp", "reinforce_pp_baseline"]);

/** A_i before anything is known of single tokens. */
function trajectoryAdvantages(batch: RewardedBatch, options: EstimatorOptions): readonly (readonly number[])[] {
  const { rewards } = batch;
  switch (options.estimator) {
    case "reinforce":
    case "reinforce_pp":
      return rewards;
    case "reinforce_pp_baseline":
      return centredAdvantages(rewards);
    case "rloo":
      return leaveOneOutAdvantages(rewards);
    case "opo":
      return lengthWeightedAdvantages(rewards, batch.actionTokens);
    case "remax":
      if (batch.greedyRewards === undefined) throw new RangeError("remax needs the rewards of greedy answers");
      return greedyBaselineAdvantages(rewards, batch.greedyRewards);
    case "grpo":
      return groupAdvantages(rewards, { scaleRewards: options.scaleRewards });
  }
}

/**
 * Returns-to-go of a trajectory's sampled tokens: G_t = sum_{s >= t} gamma^(s - t) rho_s, where rho_s is the token's
 * own reward and the last token has the outcome on top (REINFORCE++, arXiv 2501.03262). Observations are no time steps
 * and never come here.
 * @param outcome R. @param tokenRewards rho_s before the outcome, such as -beta times a KL estimate: one per sampled
 * token.
 * @throws RangeError when a number is not finite.
 */
export function returnsToGo(outcome: number, tokenRewards: ArrayLike<number>, discount: number): Float64Array {
  const returns = new Float64Array(tokenRewards.length);
  let running = outcome;
  for (let t = returns.length - 1; t >= 0; t--) {
    running = at(tokenRewards, t) + (t === returns.length - 1 ? outcome : discount * running);
    if (!Number.isFinite(running)) throw new RangeError(`the return of token ${t} is ${running}, not a finite number`);
    returns[t] = running;
  }
  return returns;
}
