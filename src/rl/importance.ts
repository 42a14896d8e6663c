/**
 * Weights that correct for a sampler whose log-probs are not those of the policy before the update: w_t = exp(l_old,t -
 * l_sampled,t), held constant while the loss is differentiated (truncated importance sampling). On a system where both
 * are equal, every weight is exactly 1.
 */

/**
 * - `token_truncate`: min(w_t, cap) (TIS).
 * - `token_mask`: w_t within [floor, cap], else 0 (IcePop).
 * - `sequence_truncate`: min(W, cap) for every token, W the product of the trajectory's w_t.
 * - `sequence_mask`: W within [floor, cap], else 0.
 * - `geometric_mask`: 1 if the geometric mean of the w_t is within [floor, cap], else 0: does not depend on the length.
 */
export type ImportanceMode = "token_truncate" | "token_mask" | "sequence_truncate" | "sequence_mask" | "geometric_mask";

export interface ImportanceOptions {
  readonly mode: ImportanceMode;
  readonly cap: number;
  /** Lower bound of the masks; not used by the truncating modes. */
  readonly floor: number;
}

/** Log-ratios are held within this bound. */
const LARGEST_LOG_RATIO = 20;

/**
 * One weight per sampled token of a trajectory.
 * @param oldLogprobs l_old,t by the trainer. @param sampledLogprobs l_sampled,t.
 * @throws RangeError when the lists differ in length or a number is not finite.
 */
export function importanceWeights(
  oldLogprobs: ArrayLike<number>,
  sampledLogprobs: ArrayLike<number>,
  options: ImportanceOptions,
): Float64Array {
  if (oldLogprobs.length !== sampledLogprobs.length)
    throw new RangeError(`${oldLogprobs.length} old log-probs but ${sampledLogprobs.length} sampled ones`);
  const differences = Float64Array.from(oldLogprobs, (old, t) => {
    const difference = old - (sampledLogprobs[t] ?? Number.NaN);
    if (Number.isFinite(difference)) return difference;
    throw new RangeError(`the log-ratio of trainer and sampler at token ${t} is ${difference}, not a finite number`);
  });
  const total = differences.reduce((sum, difference) => sum + difference, 0);
  const { mode, cap, floor } = options;
  const masked = (weight: number) => (weight >= floor && weight <= cap ? weight : 0);
  switch (mode) {
    case "token_truncate":
      return differences.map((difference) => Math.min(weightOf(difference), cap));
    case "token_mask":
      return differences.map((difference) => masked(weightOf(difference)));
    case "sequence_truncate":
      return differences.fill(Math.min(weightOf(total), cap));
    case "sequence_mask":
      return differences.fill(masked(weightOf(total)));
    case "geometric_mask":
      return differences.fill(masked(weightOf(total / Math.max(1, differences.length))) === 0 ? 0 : 1);
  }
}

function weightOf(logRatio: number): number {
  return Math.exp(Math.min(Math.max(logRatio, -LARGEST_LOG_RATIO), LARGEST_LOG_RATIO));
}
