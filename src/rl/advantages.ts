import { mean, sampleStandardDeviation, weightedMoments } from "./moments";

/** One number per trajectory, in groups of trajectories that answer the same prompt. Groups may differ in size. */
export type Grouped = readonly (readonly number[])[];

/** Variance below which whitening divides by the root of this instead. */
const LEAST_VARIANCE = 1e-10;

export interface WhitenedAdvantages {
  readonly advantages: number[][];
  /** Moments of the centred rewards over action tokens, before whitening. */
  readonly tokenMean: number;
  readonly tokenStandardDeviation: number;
}

/**
 * REINFORCE++-baseline (Hu, arXiv 2501.03262; the estimator of ZeroTIR): x_i = R_i - mean of the group, then whitened over all action tokens of
 * the batch, A_i = (x_i - mu) / sqrt(max(var, 1e-10)), where each trajectory counts with its number n_i of action tokens:
 * mu = sum n_i x_i / sum n_i, var = sum n_i (x_i - mu)^2 / sum n_i. All tokens of a trajectory have the advantage A_i.
 * @param rewards R_i. @param actionTokens n_i, in the same shape; 0 keeps a trajectory out of mu and var.
 * @throws RangeError when the shapes differ or a number is not finite.
 */
export function reinforcePlusPlusBaseline(rewards: Grouped, actionTokens: Grouped): WhitenedAdvantages {
  checkFinite(rewards, "reward");
  checkFinite(actionTokens, "number of action tokens");
  if (rewards.length !== actionTokens.length || rewards.some((group, g) => group.length !== actionTokens[g]?.length))
    throw new RangeError("rewards and action token counts differ in shape");
  const centred = rewards.map(centreGroup);
  const moments = weightedMoments(centred.flat(), actionTokens.flat());
  const deviation = Math.sqrt(Math.max(moments.variance, LEAST_VARIANCE));
  return {
    advantages: centred.map((group) => group.map((value) => (value - moments.mean) / deviation)),
    tokenMean: moments.mean,
    tokenStandardDeviation: Math.sqrt(moments.variance),
  };
}

/**
 * What divides the centred rewards: `group` the sample standard deviation of the own group (GRPO); `batch` the one of all rewards of the batch;
 * `none` nothing (Dr. GRPO, arXiv 2503.20783).
 */
export type ScaleRewards = "group" | "batch" | "none";

export interface GroupAdvantageOptions {
  /** Default `group`. */
  readonly scaleRewards?: ScaleRewards;
  /** Added to the standard deviation; default 1e-6. */
  readonly epsilon?: number;
}

/**
 * Group-relative advantages (GRPO, arXiv 2402.03300): A_i = (R_i - mean_G) / (sd + epsilon), sd with divisor n - 1. A group of one has nothing to
 * compare with: its advantage is 0.
 * @param rewards R_i. @throws RangeError when a reward is not finite.
 */
export function groupAdvantages(rewards: Grouped, options: GroupAdvantageOptions = {}): number[][] {
  checkFinite(rewards, "reward");
  const centred = rewards.map(centreGroup);
  const scale = options.scaleRewards ?? "group";
  if (scale === "none") return centred;
  const epsilon = options.epsilon ?? 1e-6;
  const batchDeviation = scale === "batch" ? sampleStandardDeviation(rewards.flat()) : 0;
  return centred.map((group, g) => {
    const deviation = scale === "batch" ? batchDeviation : sampleStandardDeviation(rewards[g] ?? []);
    return group.map((value) => value / (deviation + epsilon));
  });
}

/**
 * R_i - mean_G. A group of equal rewards gives exact zeros: the rounding of the mean must not become an advantage that whitening enlarges.
 */
function centreGroup(group: readonly number[]): number[] {
  const centre = group.every((value) => value === group[0]) ? (group[0] ?? 0) : mean(group);
  return group.map((value) => value - centre);
}

function checkFinite(values: Grouped, name: string): void {
  for (const [g, group] of values.entries())
    for (const [i, value] of group.entries())
      if (!Number.isFinite(value)) throw new RangeError(`${name} ${i} of group ${g} is ${value}, not a finite number`);
}
