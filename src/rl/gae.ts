/** Generalised advantage estimation (arXiv 1506.02438) over trajectories that hold observation tokens. */

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

function finite(value: number | undefined, name: string, t: number): number {
  if (value === undefined || !Number.isFinite(value))
    throw new RangeError(`${name} ${value} of token ${t} is not a finite number`);
  return value;
}
