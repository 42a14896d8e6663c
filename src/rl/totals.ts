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
