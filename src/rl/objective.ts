/** Log-ratios are held within this bound; outside it the gradient is 0. */
const LARGEST_LOG_RATIO = 20;

export interface ClipOptions {
  /** Lower and upper width of the clip: the ratio may move within [1 - epsilonLow, 1 + epsilonHigh]. ZeroTIR: 0.22 and 0.28. */
  readonly epsilonLow: number;
  readonly epsilonHigh: number;
  /** c > 1 of the dual clip, which bounds the loss of tokens with A < 0 by -c A; no such bound when absent. ZeroTIR: 3. */
  readonly dualClip?: number;
}

/** Sampled tokens of one trajectory: only tokens with mask 1. */
export interface TrajectoryTokens {
  /** l_t: log-prob of each token under the policy that is being differentiated. */
  readonly logprobs: ArrayLike<number>;
  /** l_old,t: the same under the policy before the update. */
  readonly oldLogprobs: ArrayLike<number>;
  /** A, the same for all tokens. */
  readonly advantage: number;
  /** alpha: weight of each token in the loss, see `tokenWeights`. */
  readonly weight: number;
}

/** Counts and sums over tokens, which add up over trajectories and micro-batches. */
export interface ObjectiveTotals {
  /** sum alpha f: this part's share of the loss. */
  loss: number;
  /** Tokens with a weight other than 0; all other fields are over these. */
  tokens: number;
  /** A < 0 and r < 1 - epsilonLow: no gradient. */
  clippedLow: number;
  /** A > 0 and r > 1 + epsilonHigh: no gradient. */
  clippedHigh: number;
  /** A < 0 and r > c: no gradient. */
  clippedDual: number;
  ratioSum: number;
  ratioMin: number;
  ratioMax: number;
  /** sum of l_old - l: over tokens, an estimate of KL(old || new) in nats (k1). */
  logRatioSum: number;
}

export interface TrajectoryLoss {
  /** c_t = dL/dl_t, one per token; the backward pass of the model starts from these. */
  readonly coefficients: Float64Array;
  readonly totals: ObjectiveTotals;
}

/**
 * Clipped policy objective (PPO, arXiv 1707.06347; clip-higher: DAPO, arXiv 2503.14476; dual clip: arXiv 1912.09729), per token
 *
 *     r_t = exp(clamp(l_t - l_old,t, -20, 20))
 *     f_t = -min(r_t A, clip(r_t, 1 - epsilonLow, 1 + epsilonHigh) A),  and for A < 0 with a dual clip f_t = min(f_t, -c A)
 *     L = sum_t alpha f_t
 *     c_t = -alpha A r_t where the term is active: (A > 0 and r_t <= 1 + epsilonHigh) or (A < 0 and 1 - epsilonLow <= r_t <= c); else 0.
 *
 * The ratio is exactly 1 where l_t equals l_old,t, so an on-policy step is plain REINFORCE: c_t = -alpha A.
 * @throws RangeError when the lists differ in length or a number is not finite.
 */
export function trajectoryLoss(tokens: TrajectoryTokens, clip: ClipOptions): TrajectoryLoss {
  const { logprobs, oldLogprobs, advantage, weight } = tokens;
  if (logprobs.length !== oldLogprobs.length)
    throw new RangeError(`${logprobs.length} log-probs but ${oldLogprobs.length} old log-probs`);
  if (!Number.isFinite(advantage) || !Number.isFinite(weight))
    throw new RangeError(`advantage ${advantage} or weight ${weight} is not a finite number`);
  const coefficients = new Float64Array(logprobs.length);
  const totals = emptyTotals();
  if (weight === 0) return { coefficients, totals };
  const low = 1 - clip.epsilonLow;
  const high = 1 + clip.epsilonHigh;
  const dual = clip.dualClip ?? Number.POSITIVE_INFINITY;
  for (let t = 0; t < coefficients.length; t++) {
    const logRatio = difference(logprobs[t], oldLogprobs[t], t);
    const ratio = Math.exp(Math.min(Math.max(logRatio, -LARGEST_LOG_RATIO), LARGEST_LOG_RATIO));
    const clipped = Math.min(Math.max(ratio, low), high);
    let loss = -Math.min(ratio * advantage, clipped * advantage);
    if (advantage < 0) loss = Math.min(loss, -dual * advantage);
    const clippedHigh = advantage > 0 && ratio > high;
    const clippedLow = advantage < 0 && ratio < low;
    const clippedDual = advantage < 0 && ratio > dual;
    const active = !(clippedHigh || clippedLow || clippedDual) && Math.abs(logRatio) <= LARGEST_LOG_RATIO;
    // `|| 0` on an advantage of 0 avoids a coefficient of -0.
    coefficients[t] = active ? -weight * advantage * ratio || 0 : 0;
    totals.loss += weight * loss;
    totals.tokens += 1;
    totals.clippedHigh += Number(clippedHigh);
    totals.clippedLow += Number(clippedLow);
    totals.clippedDual += Number(clippedDual);
    totals.ratioSum += ratio;
    totals.ratioMin = Math.min(totals.ratioMin, ratio);
    totals.ratioMax = Math.max(totals.ratioMax, ratio);
    totals.logRatioSum -= logRatio;
  }
  return { coefficients, totals };
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
  };
}

/** Totals as metrics: fractions and means over tokens. Without tokens the ratios are 1 and the rest 0. */
export function objectiveMetrics(totals: ObjectiveTotals): Readonly<Record<string, number>> {
  const share = (count: number) => (totals.tokens === 0 ? 0 : count / totals.tokens);
  return {
    loss: totals.loss,
    "clip_ratio/low_mean": share(totals.clippedLow),
    "clip_ratio/high_mean": share(totals.clippedHigh),
    "clip_ratio/dual_mean": share(totals.clippedDual),
    "clip_ratio/region_mean": share(totals.clippedLow + totals.clippedHigh),
    "ratio/mean": totals.tokens === 0 ? 1 : share(totals.ratioSum),
    "ratio/min": totals.tokens === 0 ? 1 : totals.ratioMin,
    "ratio/max": totals.tokens === 0 ? 1 : totals.ratioMax,
    approx_kl: share(totals.logRatioSum),
  };
}

function difference(logprob: number | undefined, old: number | undefined, t: number): number {
  if (logprob === undefined || old === undefined || !Number.isFinite(logprob) || !Number.isFinite(old))
    throw new RangeError(`log-prob ${logprob} or old log-prob ${old} of token ${t} is not a finite number`);
  return logprob - old;
}
