/** Advantages of the kept groups, and the weight of every token in the loss of its optimizer batch. */
import { at } from "../base/must";
import { mean } from "../base/statistics";
import type { TrainOptions } from "../options/train";
import { tokenWeights } from "../rl/aggregation";
import { criticAdvantages } from "../rl/critic-advantages";
import { tokenAdvantages } from "../rl/estimators";
import { type SampleMask, sampleMasks } from "../rl/sample-masks";
import type { GradedTrajectory, Group } from "../session/collect";
import { aggregationOf } from "./settings";
import { type PerToken, type PolicySequence, sequenceOf, valuesOf } from "./trajectories";

/** A trajectory with what its coefficients need. Lists have one entry per sampled token. */
export interface WeightedSequence extends PolicySequence {
  readonly advantages: Float64Array;
  /** What the critic is to learn; without one there is nothing. */
  readonly returns?: Float64Array;
  /** Weight of each token in the loss of its optimizer batch; 0 when the trajectory is masked. */
  readonly weight: number;
}

/** What advantages are made of beside the rewards of the kept groups. */
export interface AdvantageInputs {
  /** By trajectory id: a reward of each sampled token, such as a KL penalty. */
  readonly tokenRewards?: ReadonlyMap<number, Float64Array>;
  /** The critic's values. */
  readonly values?: PerToken;
  /** Of each group's greedy answer. */
  readonly greedyRewards?: readonly number[];
}

/**
 * Advantages over all groups, and the weight of each trajectory's tokens over its optimizer batch: about
 * `promptsPerMiniBatch` groups, or all.
 */
export function optimizerBatches(
  groups: readonly Group[],
  options: TrainOptions,
  inputs: AdvantageInputs = {},
): WeightedSequence[][] {
  const { advantages, returns } = advantagesOf(groups, options, inputs);
  const places = groups.map((_, place) => place);
  // Parts of nearly equal size: a single group that is left over must not make a whole update.
  return equalParts(places, Math.ceil(groups.length / (options.promptsPerMiniBatch ?? groups.length))).map((part) => {
    const members = part.flatMap((place) => at(groups, place));
    const own = part.flatMap((place) => at(advantages, place));
    const targets = returns && part.flatMap((place) => at(returns, place));
    const sequences = members.map(({ trajectory }) => sequenceOf(trajectory));
    const weights = tokenWeights(
      sequences.map(({ sampledLogprobs }) => sampledLogprobs.length),
      { mode: aggregationOf(options), lengthNorm: options.maxCompletionLength },
      members.map((graded) => masksOf(graded, options).length === 0),
    );
    return sequences.map((sequence, i) => ({
      ...sequence,
      advantages: at(own, i),
      ...(targets !== undefined && { returns: at(targets, i) }),
      weight: at(weights, i),
    }));
  });
}

/** A list in `count` parts in order, whose lengths differ by at most 1; fewer parts where there are fewer items. */
export function equalParts<Item>(items: readonly Item[], count: number): Item[][] {
  const parts = Math.min(count, items.length);
  const begin = (part: number) => Math.floor((part * items.length) / parts);
  return Array.from({ length: parts }, (_, part) => items.slice(begin(part), begin(part + 1)));
}

/** By group and trajectory: advantages of its sampled tokens, and with a critic their returns. */
function advantagesOf(
  groups: readonly Group[],
  options: TrainOptions,
  { tokenRewards, values, greedyRewards }: AdvantageInputs,
): { advantages: Float64Array[][]; returns?: Float64Array[][] } {
  const ofEach = <Value>(value: (graded: GradedTrajectory) => Value) => groups.map((group) => group.map(value));
  const byId = <Value>(map: ReadonlyMap<number, Value>, what: string) =>
    ofEach(({ trajectory: { id } }) => valuesOf(map, id, what));
  const rewards = ofEach(({ grade }) => grade.numbers.reward);
  const shaping = tokenRewards === undefined ? {} : { tokenRewards: byId(tokenRewards, "token rewards") };
  const { advantageEstimator: estimator, scaleRewards, gamma: discount, lam: lambda } = options;
  if (estimator === "gae") {
    if (values === undefined) throw new Error("gae needs the values of a critic");
    const masks = ofEach(({ trajectory }) => trajectory.mask);
    const gae = { discount, lambda, observations: options.gaeObservations };
    return criticAdvantages({ rewards, masks, values: byId(values, "values"), ...shaping }, gae);
  }
  const actionTokens = ofEach(({ trajectory }) => trajectory.mask.reduce((sum, bit) => sum + bit, 0));
  const batch = { rewards, actionTokens, ...shaping, ...(greedyRewards !== undefined && { greedyRewards }) };
  return { advantages: tokenAdvantages(batch, { estimator, scaleRewards, discount }) };
}

type MaskOptions = Pick<TrainOptions, "maskTruncatedCompletions" | "sampleMasks">;

/** Names of the masks that leave this trajectory out of the loss, after its reward has counted for its group. */
export function masksOf({ trajectory, grade }: GradedTrajectory, options: MaskOptions): (SampleMask | "truncated")[] {
  const { numbers } = grade;
  const truncated = trajectory.finishReason === "length";
  const facts = {
    correct: numbers.rule_rewards === 1,
    truncated,
    answered: grade.prediction !== null,
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

/** Share of the trajectories that each mask in use leaves out; 0 of none. */
export function maskedShares(trajectories: readonly GradedTrajectory[], options: MaskOptions): Record<string, number> {
  const flagged = trajectories.map((graded) => masksOf(graded, options));
  const names = [...(options.maskTruncatedCompletions ? ["truncated" as const] : []), ...(options.sampleMasks ?? [])];
  const share = (name: SampleMask | "truncated") =>
    mean(
      flagged.map((masks) => Number(masks.includes(name))),
      0,
    );
  return Object.fromEntries(names.map((name) => [name, share(name)] as const));
}
