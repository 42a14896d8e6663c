/** Graded trajectories in the shape of the training pass, cut into optimizer batches. */
import type { TrainingSequence } from "../model/training";
import { tokenWeights } from "../rl/aggregation";
import { tokenAdvantages } from "../rl/estimators";
import { mean } from "../rl/moments";
import { type SampleMask, sampleMasks } from "../rl/sample-masks";
import type { GradedTrajectory } from "./collect";
import { aggregationOf } from "./loss-settings";
import type { TrainOptions } from "./options";

/** A trajectory with what its coefficients need. Lists have one entry per sampled token. */
export interface Sample extends TrainingSequence {
  readonly id: number;
  readonly sampledLogprobs: Float32Array;
  readonly advantages: Float64Array;
  /** Weight of each token in the loss of its optimizer batch; 0 when the trajectory is masked. */
  readonly weight: number;
}

/** Advantages over all groups, and the weight of each trajectory's tokens over its optimizer batch: `promptsPerMiniBatch` groups, or all. */
export function optimizerBatches(groups: readonly (readonly GradedTrajectory[])[], options: TrainOptions): Sample[][] {
  const actionTokens = groups.map((group) => group.map(({ trajectory }) => sampledTokens(trajectory.mask)));
  const advantages = tokenAdvantages(
    { rewards: groups.map((group) => group.map(({ grade }) => grade.numbers.reward)), actionTokens },
    { estimator: options.advantageEstimator, scaleRewards: options.scaleRewards, discount: options.gamma },
  );
  const size = options.promptsPerMiniBatch ?? Math.max(1, groups.length);
  const batches: Sample[][] = [];
  for (let begin = 0; begin < groups.length; begin += size) {
    const members = groups.slice(begin, begin + size).flat();
    const own = advantages.slice(begin, begin + size).flat();
    const weights = tokenWeights(
      actionTokens.slice(begin, begin + size).flat(),
      { mode: aggregationOf(options), lengthNorm: options.maxCompletionLength },
      members.map((graded) => masksOf(graded, options).length === 0),
    );
    batches.push(members.map(({ trajectory }, i) => toSample(trajectory, own[i], weights[i])));
  }
  return batches;
}

/** Names of the masks that leave this trajectory out of the loss. */
export function masksOf(
  { trajectory, grade }: GradedTrajectory,
  options: Pick<TrainOptions, "maskTruncatedCompletions" | "sampleMasks">,
): (SampleMask | "truncated")[] {
  const { numbers } = grade;
  const truncated = trajectory.finishReason === "length";
  const facts = {
    correct: numbers.rule_rewards === 1,
    truncated,
    answered: numbers.no_boxed === 0,
    codeBlocks: numbers.code_count,
    outputBlocks: numbers.output_count,
    openedBlocks: numbers.partial_code_count,
    executions: numbers.code_execution_times,
    repeatness: numbers.repeatness,
    trigramRepetition: numbers.repetition_penalty,
  };
  return [
    ...(options.maskTruncatedCompletions && truncated ? ["truncated" as const] : []),
    ...(options.sampleMasks ?? []).filter((name) => sampleMasks[name](facts)),
  ];
}

/** Share of the trajectories that each mask in use leaves out. */
export function maskedShares(
  trajectories: readonly GradedTrajectory[],
  options: Pick<TrainOptions, "maskTruncatedCompletions" | "sampleMasks">,
): Record<string, number> {
  const flagged = trajectories.map((graded) => masksOf(graded, options));
  const names = [...(options.maskTruncatedCompletions ? ["truncated" as const] : []), ...(options.sampleMasks ?? [])];
  return Object.fromEntries(
    names.map((name) => [name, mean(flagged.map((masks) => Number(masks.includes(name))))] as const),
  );
}

function toSample(
  { id, promptIds, ids: completion, mask, logprobs }: GradedTrajectory["trajectory"],
  advantages: Float64Array = new Float64Array(),
  weight = 0,
): Sample {
  const ids = new Uint32Array(promptIds.length + completion.length);
  ids.set(promptIds);
  ids.set(completion, promptIds.length);
  const scored = new Uint8Array(ids.length);
  scored.set(mask, promptIds.length);
  return { id, ids, scored, sampledLogprobs: logprobs.filter((_, t) => mask[t] === 1), advantages, weight };
}

function sampledTokens(mask: Uint8Array): number {
  return mask.reduce((sum, bit) => sum + bit, 0);
}
