/**
 * From the rewards of a batch and the values of a critic to an advantage and a return for every sampled token (PPO,
 * arXiv 1707.06347).
 */
import { checkFinite, checkShape, type Grouped } from "./advantages";
import { type GaeOptions, generalisedAdvantages } from "./gae";
import { whiten } from "./whitening";

export interface ValuedBatch {
  /** R_i of every trajectory. */
  readonly rewards: Grouped;
  /** Per trajectory, one entry per token after the prompt: 1 sampled, 0 observation. */
  readonly masks: readonly (readonly ArrayLike<number>[])[];
  /** V_t of the state before each sampled token: groups, trajectories, sampled tokens. */
  readonly values: readonly (readonly ArrayLike<number>[])[];
  /** Reward of each sampled token besides the outcome, such as -beta times a KL estimate; none when absent. */
  readonly tokenRewards?: readonly (readonly ArrayLike<number>[])[];
}

export interface CriticAdvantages {
  /** A_t, whitened over the sampled tokens of the batch: groups, trajectories, sampled tokens. */
  readonly advantages: Float64Array[][];
  /** A_t + V_t before whitening, in the same shape: what the critic learns. */
  readonly returns: Float64Array[][];
}

/**
 * Generalised advantages of every trajectory, whose outcome is the reward of its last sampled token.
 * @throws RangeError when shapes differ or a number is not finite.
 */
export function criticAdvantages(batch: ValuedBatch, options: GaeOptions): CriticAdvantages {
  const { rewards, masks, values, tokenRewards } = batch;
  checkFinite(rewards, "reward");
  checkShape(rewards, masks, "masks");
  checkShape(rewards, values, "values");
  if (tokenRewards !== undefined) checkShape(rewards, tokenRewards, "token rewards");
  const valued = rewards.map((group, g) =>
    group.map((outcome, i) => {
      const mask = masks[g]?.[i] ?? [];
      const own = new Float64Array(values[g]?.[i]?.length ?? 0);
      own.set(tokenRewards?.[g]?.[i] ?? []);
      if (own.length > 0) own[own.length - 1] = (own.at(-1) ?? 0) + outcome;
      const { advantages, returns } = generalisedAdvantages(
        { rewards: spread(own, mask), values: spread(values[g]?.[i] ?? [], mask), mask },
        options,
      );
      const sampled = (_: number, t: number) => mask[t] === 1;
      return { advantages: advantages.filter(sampled), returns: returns.filter(sampled) };
    }),
  );
  const white = whiten(valued.flat().map(({ advantages }) => advantages));
  let at = 0;
  return {
    advantages: valued.map((group) => group.map(() => white[at++] ?? new Float64Array())),
    returns: valued.map((group) => group.map(({ returns }) => returns)),
  };
}

/**
 * Entries of sampled tokens at their places among all tokens; 0 on observations.
 *
 * @throws RangeError when their numbers differ
 */
function spread(sampled: ArrayLike<number>, mask: ArrayLike<number>): Float64Array {
  const all = new Float64Array(mask.length);
  let next = 0;
  for (let t = 0; t < mask.length; t++) if (mask[t] === 1) all[t] = sampled[next++] ?? Number.NaN;
  if (next !== sampled.length) throw new RangeError(`${sampled.length} entries for ${next} sampled tokens`);
  return all;
}
