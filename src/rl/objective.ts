import { type KlEstimator, klTerm } from "./kl";
import { boundedRatio, type PolicyObjective, policyTerm } from "./policy-term";
import { emptyTotals, type ObjectiveTotals } from "./totals";

/** Sampled tokens of one trajectory: only tokens with mask 1. All lists have one entry per token. */
export interface TrajectoryTokens {
  /** l_t: log-prob of each token under the policy that is being differentiated. */
  readonly logprobs: ArrayLike<number>;
  /** l_old,t: the same under the policy before the update. */
  readonly oldLogprobs: ArrayLike<number>;
  /** A_t */
  readonly advantages: ArrayLike<number>;
  /** alpha: weight of each token in the loss, see `tokenWeights`. */
  readonly weight: number;
  /** w_t: correction for the sampler, held constant; 1 when absent. See `importanceWeights`. */
  readonly importance?: ArrayLike<number>;
  /** l_ref,t, where the loss or the metrics want a KL. */
  readonly referenceLogprobs?: ArrayLike<number>;
  /** H_t, where the loss has an entropy bonus. */
  readonly entropies?: ArrayLike<number>;
}

export interface LossOptions {
  readonly policy: PolicyObjective;
  /** `sequence`: the ratio of every token is exp(mean_t(l_t - l_old,t)) of its trajectory (GSPO, arXiv 2507.18071). */
  readonly ratioLevel: "token" | "sequence";
  /** How the KL to the reference is estimated, and its weight beta in the loss (0: measured only). */
  readonly kl: { readonly estimator: KlEstimator; readonly coefficient: number };
  /** c_H of the entropy bonus; 0 for none. */
  readonly entropyCoefficient: number;
}

export interface TrajectoryLoss {
  /** c_t = dL/dl_t, one per token; the backward pass of the model starts from these. */
  readonly coefficients: Float64Array;
  /** h_t = dL/dH_t, one per token; all 0 without an entropy bonus. */
  readonly entropyCoefficients: Float64Array;
  readonly totals: ObjectiveTotals;
}

/**
 * The loss of a trajectory as one scalar per token, with f_t of policy-term.ts and k_t of kl.ts:
 *
 *     L = sum_t alpha (w_t f_t + beta k_t - c_H H_t)
 *     c_t = alpha (w_t f'_t + beta k'_t),   h_t = -alpha c_H
 *
 * The ratio is exactly 1 where l_t equals l_old,t, so an on-policy step is plain REINFORCE: c_t = -alpha A.
 *
 * At sequence level d log(s) / dl_t = 1 / n, and the n tokens' terms add up to c_t = -alpha A s for advantages that are
 * equal in the trajectory. For others it is GSPO-token: each token's own advantage.
 * @throws RangeError when the lists differ in length or a number is not finite.
 */
export function trajectoryLoss(tokens: TrajectoryTokens, options: LossOptions): TrajectoryLoss {
  const { logprobs, weight, referenceLogprobs, importance, entropies } = tokens;
  const count = logprobs.length;
  checkLengths(tokens);
  if (!Number.isFinite(weight)) throw new RangeError(`weight ${weight} is not a finite number`);
  const coefficients = new Float64Array(count);
  const entropyCoefficients = new Float64Array(count);
  const totals = emptyTotals();
  if (weight === 0) return { coefficients, entropyCoefficients, totals };
  const logRatios = logRatiosOf(tokens);
  const sequenceLogRatio = logRatios.reduce((sum, value) => sum + value, 0) / Math.max(1, count);
  for (let t = 0; t < count; t++) {
    const logprob = logprobs[t] ?? Number.NaN;
    const logRatio = options.ratioLevel === "sequence" ? sequenceLogRatio : (logRatios[t] ?? Number.NaN);
    const advantage = finite(tokens.advantages[t], "advantage", t);
    const correction = importance === undefined ? 1 : finite(importance[t], "importance weight", t);
    const term = policyTerm(options.policy, logprob, logRatio, advantage);
    let loss = correction * term.loss;
    let slope = correction * term.slope;
    if (referenceLogprobs !== undefined) {
      const reference = finite(referenceLogprobs[t], "reference log-prob", t);
      const kl = klTerm(options.kl.estimator, logprob, reference);
      loss += options.kl.coefficient * kl.value;
      slope += options.kl.coefficient * kl.slope;
      totals.klSum += kl.value;
    }
    if (options.entropyCoefficient !== 0) {
      loss -= options.entropyCoefficient * finite(entropies?.[t], "entropy", t);
      entropyCoefficients[t] = -weight * options.entropyCoefficient;
    }
    // `|| 0` on a slope of 0 avoids a coefficient of -0.
    coefficients[t] = weight * slope || 0;
    const ratio = boundedRatio(logRatio);
    totals.loss += weight * loss;
    totals.tokens += 1;
    totals.clippedLow += Number(term.clipped === "low");
    totals.clippedHigh += Number(term.clipped === "high");
    totals.clippedDual += Number(term.clipped === "dual");
    totals.ratioSum += ratio;
    totals.ratioMin = Math.min(totals.ratioMin, ratio);
    totals.ratioMax = Math.max(totals.ratioMax, ratio);
    totals.logRatioSum -= logRatio;
  }
  return { coefficients, entropyCoefficients, totals };
}

function checkLengths(tokens: TrajectoryTokens): void {
  const { logprobs, oldLogprobs, advantages, importance, referenceLogprobs, entropies } = tokens;
  const others = {
    "old log-probs": oldLogprobs,
    advantages,
    "importance weights": importance,
    "reference log-probs": referenceLogprobs,
    entropies,
  };
  for (const [name, list] of Object.entries(others))
    if (list !== undefined && list.length !== logprobs.length)
      throw new RangeError(`${logprobs.length} log-probs but ${list.length} ${name}`);
}

function logRatiosOf({ logprobs, oldLogprobs }: TrajectoryTokens): Float64Array {
  return Float64Array.from(logprobs, (logprob, t) => {
    const old = oldLogprobs[t];
    if (old === undefined || !Number.isFinite(logprob) || !Number.isFinite(old))
      throw new RangeError(`log-prob ${logprob} or old log-prob ${old} of token ${t} is not a finite number`);
    return logprob - old;
  });
}

function finite(value: number | undefined, name: string, t: number): number {
  if (value === undefined || !Number.isFinite(value))
    throw new RangeError(`${name} ${value} of token ${t} is not a finite number`);
  return value;
}
