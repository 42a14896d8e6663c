/**
 * Estimators of KL(policy || reference) per token, from the log-probs of the sampled token (J. Schulman, "Approximating
 * KL divergence", 2020).
 */

/**
 * With x = l - l_ref:
 * - `k1`: x. Unbiased, of high variance. As a loss its expected gradient is 0, so it belongs in the reward only.
 * - `k2`: x^2 / 2. As a loss it has the gradient of the reverse KL.
 * - `k3`: exp(-x) + x - 1. Unbiased and never negative; the loss of GRPO (arXiv 2402.03300).
 * - `k3_plus`: the value of k3 with the gradient of k2 (verl's straight-through form).
 */
export type KlEstimator = "k1" | "k2" | "k3" | "k3_plus";

/**
 * k3 grows exponentially: verl holds the log-ratio within 20 and the value within 10, and so do we. Beyond, there is no
 * gradient.
 */
const LARGEST_LOG_RATIO = 20;
const LARGEST_K3 = 10;

/** A token's estimate in nats, and its derivative with respect to l. */
export interface KlTerm {
  readonly value: number;
  readonly slope: number;
}

/** @param logprob l, under the policy. @param reference l_ref. */
export function klTerm(estimator: KlEstimator, logprob: number, reference: number): KlTerm {
  const excess = logprob - reference;
  switch (estimator) {
    case "k1":
      return { value: excess, slope: 1 };
    case "k2":
      return { value: excess ** 2 / 2, slope: excess };
    case "k3": {
      const value = k3(excess);
      const held = Math.abs(excess) > LARGEST_LOG_RATIO || value >= LARGEST_K3;
      return { value, slope: held ? 0 : -Math.expm1(-excess) };
    }
    case "k3_plus":
      return { value: k3(excess), slope: excess };
  }
}

function k3(excess: number): number {
  const held = Math.min(Math.max(excess, -LARGEST_LOG_RATIO), LARGEST_LOG_RATIO);
  return Math.min(Math.expm1(-held) + held, LARGEST_K3);
}

export interface KlTarget {
  /** KL per token that is aimed at, in nats. */
  readonly target: number;
  /** Trajectories over which the coefficient may change by a factor of about e^0.2. */
  readonly horizon: number;
}

/**
 * The adaptive controller of PPO for language models (arXiv 1909.08593): beta (1 + clip(KL / target - 1, -0.2, 0.2) n /
 * horizon).
 * @param kl mean per token of the batch. @param trajectories n.
 */
export function controlledKlCoefficient(
  coefficient: number,
  kl: number,
  trajectories: number,
  control: KlTarget,
): number {
  const error = Math.min(Math.max(kl / control.target - 1, -0.2), 0.2);
  return coefficient * (1 + (error * trajectories) / control.horizon);
}
