/**
 * The policy's part of the loss, token by token: f(l) with the ratio r = exp(l - l_old) to the policy before the
 * update.
 */

/**
 * Lower and upper width of the clip: the ratio may move within [1 - epsilonLow, 1 + epsilonHigh]. ZeroTIR: 0.22 and
 * 0.28.
 */
export interface ClipBounds {
  readonly epsilonLow: number;
  readonly epsilonHigh: number;
}

/**
 * - `clip`: f = -min(r A, clip(r) A) (PPO, arXiv 1707.06347; separate widths: DAPO, arXiv 2503.14476); with a
 *   `dualClip` c > 1, for A < 0, f = min(f, -c A) (arXiv 1912.09729; ZeroTIR: 3).
 * - `cispo`: f = -sg[clip(r)] A l: the ratio is bounded, and no token loses its gradient (arXiv 2506.13585).
 * - `sapo`: f = -(4 / tau) sigmoid(tau (r - 1)) A with tau by the sign of A: a soft clip (arXiv 2511.20347).
 * - `policy_gradient`: f = -A l (REINFORCE).
 */
export type PolicyObjective =
  | ({ readonly kind: "clip"; readonly dualClip?: number } & ClipBounds)
  | ({ readonly kind: "cispo" } & ClipBounds)
  | { readonly kind: "sapo"; readonly temperaturePositive: number; readonly temperatureNegative: number }
  | { readonly kind: "policy_gradient" };

/** Which bound a token's ratio has passed on the side where it matters: `low` and `dual` at A < 0, `high` at A > 0. */
export type Clipped = "low" | "high" | "dual" | null;

export interface PolicyTerm {
  /** f */
  readonly loss: number;
  /** df/dl */
  readonly slope: number;
  readonly clipped: Clipped;
}

/** Log-ratios are held within this bound; outside it the gradient of whatever depends on the ratio is 0. */
const LARGEST_LOG_RATIO = 20;

/** exp of the log-ratio, held within 20. */
export function boundedRatio(logRatio: number): number {
  return Math.exp(Math.min(Math.max(logRatio, -LARGEST_LOG_RATIO), LARGEST_LOG_RATIO));
}

/** @param logprob l. @param logRatio l - l_old, or its mean over the trajectory. */
export function policyTerm(
  objective: PolicyObjective,
  logprob: number,
  logRatio: number,
  advantage: number,
): PolicyTerm {
  const ratio = boundedRatio(logRatio);
  const inside = Math.abs(logRatio) <= LARGEST_LOG_RATIO;
  switch (objective.kind) {
    case "clip":
      return clipTerm(objective, ratio, inside, advantage);
    case "cispo": {
      const factor = clip(ratio, objective) * advantage;
      return { loss: -factor * logprob, slope: -factor, clipped: clippedSide(ratio, advantage, objective) };
    }
    case "sapo": {
      const temperature = advantage > 0 ? objective.temperaturePositive : objective.temperatureNegative;
      const gate = 1 / (1 + Math.exp(-temperature * (ratio - 1)));
      const slope = inside ? -advantage * ratio * 4 * gate * (1 - gate) : 0;
      return { loss: (-4 / temperature) * gate * advantage, slope, clipped: null };
    }
    case "policy_gradient":
      return { loss: -advantage * logprob, slope: -advantage, clipped: null };
  }
}

/** Active, with slope -A r, where (A > 0 and r <= 1 + epsilonHigh) or (A < 0 and 1 - epsilonLow <= r <= c). */
function clipTerm(
  objective: ClipBounds & { readonly dualClip?: number },
  ratio: number,
  inside: boolean,
  advantage: number,
): PolicyTerm {
  const dual = objective.dualClip ?? Number.POSITIVE_INFINITY;
  const whole = -Math.min(ratio * advantage, clip(ratio, objective) * advantage);
  const loss = advantage < 0 ? Math.min(whole, -dual * advantage) : whole;
  const clipped = advantage < 0 && ratio > dual ? "dual" : clippedSide(ratio, advantage, objective);
  return { loss, slope: clipped === null && inside ? -advantage * ratio : 0, clipped };
}

function clip(ratio: number, { epsilonLow, epsilonHigh }: ClipBounds): number {
  return Math.min(Math.max(ratio, 1 - epsilonLow), 1 + epsilonHigh);
}

function clippedSide(ratio: number, advantage: number, { epsilonLow, epsilonHigh }: ClipBounds): Clipped {
  if (advantage > 0 && ratio > 1 + epsilonHigh) return "high";
  return advantage < 0 && ratio < 1 - epsilonLow ? "low" : null;
}
