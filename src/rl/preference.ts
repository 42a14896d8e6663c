/** Losses on pairs of a preferred and a rejected answer, as functions of their log-probs and those of a reference. */

/** Sums of log-probs over the tokens of a pair's answers, by the policy and by the reference. */
export interface PairLogprobs {
  readonly chosen: number;
  readonly rejected: number;
  readonly referenceChosen: number;
  readonly referenceRejected: number;
}

export interface PreferenceOptions {
  /** sigmoid: DPO; rpo: reward-aware, the squared distance of the implicit gap to the given one. */
  readonly lossType: "sigmoid" | "rpo";
  /** What turns a log-ratio into an implicit reward. */
  readonly beta: number;
  /** Weight of the mean negative log-likelihood of the chosen answer; 0: none. */
  readonly likelihoodWeight: number;
}

/** What a pair adds, and how its loss changes with the log-prob of a token: equally for all tokens of one answer. */
export interface PreferenceLoss {
  readonly loss: number;
  readonly chosenCoefficient: number;
  readonly rejectedCoefficient: number;
  /** Implicit rewards: beta times the log-ratio of policy to reference. */
  readonly chosenReward: number;
  readonly rejectedReward: number;
}

/**
 * With gap = beta ((l_c - ref_c) - (l_r - ref_r)): sigmoid: -log sigmoid(gap) (Rafailov et al. 2023, equation 7); rpo:
 * (gap - givenGap)^2 (the square distance of reward-aware preference optimisation).
 * @param givenGap reward of the chosen answer minus that of the rejected one; read by rpo alone
 * @param chosenTokens length of the chosen answer
 */
export function preferenceLoss(
  pair: PairLogprobs,
  givenGap: number,
  chosenTokens: number,
  { lossType, beta, likelihoodWeight }: PreferenceOptions,
): PreferenceLoss {
  const chosenReward = beta * (pair.chosen - pair.referenceChosen);
  const rejectedReward = beta * (pair.rejected - pair.referenceRejected);
  const gap = chosenReward - rejectedReward;
  const loss = lossType === "sigmoid" ? softplus(-gap) : (gap - givenGap) ** 2;
  const slope = beta * (lossType === "sigmoid" ? -sigmoid(-gap) : 2 * (gap - givenGap));
  return {
    loss: loss - (likelihoodWeight * pair.chosen) / chosenTokens,
    chosenCoefficient: slope - likelihoodWeight / chosenTokens,
    rejectedCoefficient: -slope,
    chosenReward,
    rejectedReward,
  };
}

/** log(1 + e^x) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}
