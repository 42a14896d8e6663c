/** How log-probs recorded while sampling differ from those of the training forward pass, over sampled tokens. */
export interface LogprobDifference {
  readonly tokens: number;
  /** Tokens whose two log-probs are not the same number. 0 on an exactly on-policy system. */
  readonly unequal: number;
  /** Mean and maximum of |l - l_sampled|. */
  readonly meanAbsolute: number;
  readonly maxAbsolute: number;
  /** Mean of l_sampled - l: an estimate of KL(sampler || trainer) in nats. */
  readonly kl: number;
  /** Effective sample size of the weights w = exp(l - l_sampled): (sum w)^2 / (n sum w^2), 1 when all are equal. */
  readonly effectiveSampleSize: number;
}

/**
 * Compares two lists of log-probs. NaN anywhere gives a NaN mean and counts as unequal.
 * @throws RangeError when the lists differ in length.
 */
export function logprobDifference(sampled: ArrayLike<number>, trained: ArrayLike<number>): LogprobDifference {
  if (sampled.length !== trained.length)
    throw new RangeError(`${sampled.length} sampled log-probs but ${trained.length} of the trainer`);
  const tokens = sampled.length;
  let unequal = 0;
  let absolute = 0;
  let largest = 0;
  let signed = 0;
  let weights = 0;
  let squares = 0;
  for (let t = 0; t < tokens; t++) {
    const before = sampled[t] ?? Number.NaN;
    const now = trained[t] ?? Number.NaN;
    // Equal infinities differ by 0, not by NaN.
    const difference = before === now ? 0 : now - before;
    if (before !== now) unequal += 1;
    absolute += Math.abs(difference);
    largest = Math.max(largest, Math.abs(difference));
    signed -= difference;
    weights += Math.exp(difference);
    squares += Math.exp(2 * difference);
  }
  return {
    tokens,
    unequal,
    meanAbsolute: tokens === 0 ? 0 : absolute / tokens,
    maxAbsolute: largest,
    kl: tokens === 0 ? 0 : signed / tokens,
    effectiveSampleSize: tokens === 0 ? 1 : weights ** 2 / (tokens * squares),
  };
}
