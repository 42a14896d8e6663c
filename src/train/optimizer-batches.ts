/** Optimizer batches: the kept groups in parts of one update each, with advantages and the weight of every token. */
import { at } from "../base/must";
import type { TrainOptions } from "../options/train";
import { tokenWeights } from "../rl/aggregation";
import type { Group } from "../session/collect";
import { type AdvantageInputs, advantagesOf } from "./advantages";
import { masksOf } from "./masks";
import { aggregationOf } from "./settings";
import { type PolicySequence, sequenceOf } from "./trajectories";

/** A trajectory with what its coefficients need. Lists have one entry per sampled token. */
export interface WeightedSequence extends PolicySequence {
  readonly advantages: Float64Array;
  /** What the critic is to learn; without one there is nothing. */
  readonly returns?: Float64Array;
  /** Weight of each token in the loss of its optimizer batch; 0 when the trajectory is masked. */
  readonly weight: number;
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
