/**
 * Generalised advantage estimation (arXiv 1506.02438) over trajectories that hold observation tokens: from rewards and
 * a critic's values to an advantage and a return for every sampled token (PPO, arXiv 1707.06347).
 */
import { at } from "../base/must";
import { type Grouped, whitenGroups } from "./advantages";
import { checkFinite, checkShape, finite } from "./checks";

/**
 * What an observation token is to the recursion. With gamma = lambda = 1 the last two give A_t = R - V_t.
 * - `reset`: the running sum starts anew at every observation, so tokens before a tool call get no credit for the
 *   outcome (ZeroTIR's code at the time of the paper).
 * - `carried`: observations are time steps with value 0: the sum goes through them and decays by (gamma lambda) at each
 *   (ZeroTIR's later code).
 * - `skipped`: observations are no time steps at all (verl). The right one.
 */
export type ObservationConvention = "reset" | "carried" | "skipped";

/** One entry per token of a trajectory, observations included. */
export interface ValuedTokens {
  /** r_t; counted where mask is 1. */
  readonly rewards: ArrayLike<number>;
  /** V_t; counted where mask is 1. The value after the last token is 0. */
  readonly values: ArrayLike<number>;
  /** 1: sampled, 0: observation. */
  readonly mask: ArrayLike<number>;
}

export interface GaeOptions {
  /** gamma */
  readonly discount: number;
  /** lambda */
  readonly lambda: number;
  readonly observations: ObservationConvention;
}

export interface ValuedAdvantages {
  /** A_t, 0 on observations. */
  readonly advantages: Float64Array;
  /** A_t + V_t before any whitening: what the critic learns; 0 on observations. */
  readonly returns: Float64Array;
}

/**
 * delta_t = r_t + gamma V_{t+1} - V_t and A_t = delta_t + gamma lambda A_{t+1}, where t + 1 is the next step in the
 * chosen convention.
 * @throws RangeError when the lists differ in length or a number is not finite.
 */
export function generalisedAdvantages(tokens: ValuedTokens, options: GaeOptions): ValuedAdvantages {
  const { rewards, values, mask } = tokens;
  const { discount, lambda, observations } = options;
  if (rewards.length !== mask.length || values.length !== mask.length)
    throw new RangeError(`${rewards.length} rewards and ${values.length} values for ${mask.length} tokens`);
  const advantages = new Float64Array(mask.length);
  const returns = new Float64Array(mask.length);
  let running = 0;
  let next = 0;
  for (let t = mask.length - 1; t >= 0; t--) {
    const sampled = mask[t] === 1;
    if (!sampled && observations === "skipped") continue;
    const reward = sampled ? finite(rewards[t], "reward", t) : 0;
    const value = sampled ? finite(values[t], "value", t) : 0;
    running = reward + discount * next - value + discount * lambda * running;
    if (!sampled && observations === "reset") running = 0;
    next = value;
    if (!sampled) continue;
    advantages[t] = running;
    returns[t] = running + value;
  }
  return { advantages, returns };
}

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
      const mask = at(at(masks, g), i);
      const ownValues = at(at(values, g), i);
      const own = new Float64Array(ownValues.length);
      if (tokenRewards !== undefined) own.set(at(at(tokenRewards, g), i));
      if (own.length > 0) own[own.length - 1] = at(own, own.length - 1) + outcome;
      const { advantages, returns } = generalisedAdvantages(
        { rewards: spread(own, mask), values: spread(ownValues, mask), mask },
        options,
      );
      const sampled = (_: number, t: number) => mask[t] === 1;
      return { advantages: advantages.filter(sampled), returns: returns.filter(sampled) };
    }),
  );
  return {
    advantages: whitenGroups(valued.map((group) => group.map(({ advantages }) => advantages))),
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
