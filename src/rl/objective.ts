/**
 * The policy-gradient objective: L = sum_t alpha (w_t f_t + beta k_t - c_H H_t), of a policy term f (policy-term.ts), a
 * weight alpha by aggregation (aggregation.ts), a correction w for the sampler (importance.ts), the KL k to a reference
 * (kl.ts) and the entropy H.
 */
import { finite } from "./checks";
import { type KlEstimator, klTerm } from "./kl";
import { boundedRatio, type PolicyObjective, policyTerm } from "./policy-term";

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

/** Counts and sums over the tokens of a loss, which add up over trajectories, micro-batches and updates. */
export interface ObjectiveTotals {
  /** This part's share of the loss. */
  loss: number;
  /** Tokens with a weight other than 0; all other fields are over these. */
  tokens: number;
  /** A < 0 and r < 1 - epsilonLow. */
  clippedLow: number;
  /** A > 0 and r > 1 + epsilonHigh. */
  clippedHigh: number;
  /** A < 0 and r > c. */
  clippedDual: number;
  ratioSum: number;
  ratioMin: number;
  ratioMax: number;
  /** sum of l_old - l: over tokens, an estimate of KL(old || new) in nats (k1). */
  logRatioSum: number;
  /** Sum of the KL estimates to the reference; 0 without one. */
  klSum: number;
}

/** Totals of nothing, to which others are added. */
export function emptyTotals(): ObjectiveTotals {
  return {
    loss: 0,
    tokens: 0,
    clippedLow: 0,
    clippedHigh: 0,
    clippedDual: 0,
    ratioSum: 0,
    ratioMin: Number.POSITIVE_INFINITY,
    ratioMax: Number.NEGATIVE_INFINITY,
    logRatioSum: 0,
    klSum: 0,
  };
}

export function addTotals(a: ObjectiveTotals, b: ObjectiveTotals): ObjectiveTotals {
  return {
    loss: a.loss + b.loss,
    tokens: a.tokens + b.tokens,
    clippedLow: a.clippedLow + b.clippedLow,
    clippedHigh: a.clippedHigh + b.clippedHigh,
    clippedDual: a.clippedDual + b.clippedDual,
    ratioSum: a.ratioSum + b.ratioSum,
    ratioMin: Math.min(a.ratioMin, b.ratioMin),
    ratioMax: Math.max(a.ratioMax, b.ratioMax),
    logRatioSum: a.logRatioSum + b.logRatioSum,
    klSum: a.klSum + b.klSum,
  };
}

/** Totals as metrics: fractions and means over tokens. Without tokens the ratios are 1 and the rest 0. */
export function objectiveMetrics(totals: ObjectiveTotals) {
  const share = (count: number) => (totals.tokens === 0 ? 0 : count / totals.tokens);
  return {
    "clip_ratio/low_mean": share(totals.clippedLow),
    "clip_ratio/high_mean": share(totals.clippedHigh),
    "clip_ratio/dual_mean": share(totals.clippedDual),
    "clip_ratio/region_mean": share(totals.clippedLow + totals.clippedHigh + totals.clippedDual),
    "ratio/mean": totals.tokens === 0 ? 1 : share(totals.ratioSum),
    "ratio/min": totals.tokens === 0 ? 1 : totals.ratioMin,
    "ratio/max": totals.tokens === 0 ? 1 : totals.ratioMax,
    kl: share(totals.logRatioSum),
  };
}
