/** Graded trajectories in the shape of the training pass, with advantages and weights, cut into optimizer batches. */

import type { TrainOptions } from "../options/train";
import { tokenWeights } from "../rl/aggregation";
import { criticAdvantages } from "../rl/critic-advantages";
import { tokenAdvantages } from "../rl/estimators";
import type { GradedTrajectory, Group } from "../session/collect";
import { aggregationOf } from "./loss-settings";
import { masksOf } from "./sample-filter";
import type { PerSample, Sample } from "./sample-values";

/** A sample with what its coefficients need. Lists have one entry per sampled token. */
export interface WeightedSample extends Sample {
  readonly advantages: Float64Array;
  /** What the critic is to learn; without one there is nothing. */
  readonly returns?: Float64Array;
  /** Weight of each token in the loss of its optimizer batch; 0 when the trajectory is masked. */
  readonly weight: number;
}

/** What advantages are made of beside the rewards of the kept groups. */
export interface AdvantageInputs {
  /** By sample id: a reward of each sampled token, such as a KL penalty. */
  readonly tokenRewards?: ReadonlyMap<number, Float64Array>;
  /** By sample id: the critic's values. */
  readonly values?: PerSample;
  /** Of each group's greedy answer. */
  readonly greedyRewards?: readonly number[];
}

/** The trajectories of all groups, in order. */
export function samplesOf(groups: readonly Group[]): Sample[] {
  return groups.flat().map(({ trajectory }) => toSample(trajectory));
}

/** Advantages over all groups, and the weight of each trajectory's tokens over its optimizer batch: about `promptsPerMiniBatch` groups, or all. */
export function optimizerBatches(
  groups: readonly Group[],
  options: TrainOptions,
  inputs: AdvantageInputs = {},
): WeightedSample[][] {
  const { advantages, returns } = advantagesOf(groups, options, inputs);
  const places = groups.map((_, place) => place);
  // Parts of nearly equal size: a single group that is left over must not make a whole update.
  return equalParts(places, Math.ceil(groups.length / (options.promptsPerMiniBatch ?? groups.length))).map((part) => {
    const members = part.flatMap((place) => groups[place] ?? []);
    const own = part.flatMap((place) => advantages[place] ?? []);
    const targets = returns && part.flatMap((place) => returns[place] ?? []);
    const samples = members.map(({ trajectory }) => toSample(trajectory));
    const weights = tokenWeights(
      samples.map(({ sampledLogprobs }) => sampledLogprobs.length),
      { mode: aggregationOf(options), lengthNorm: options.maxCompletionLength },
      members.map((graded) => masksOf(graded, options).length === 0),
    );
    return samples.map((sample, i) => {
      const target = targets?.[i];
      return {
        ...sample,
        advantages: own[i] ?? new Float64Array(),
        ...(target !== undefined && { returns: target }),
        weight: weights[i] ?? 0,
      };
    });
  });
}

/** A list in `count` parts in order, whose lengths differ by at most 1; fewer parts where there are fewer items. */
export function equalParts<Item>(items: readonly Item[], count: number): Item[][] {
  const parts = Math.min(count, items.length);
  const begin = (part: number) => Math.floor((part * items.length) / parts);
  return Array.from({ length: parts }, (_, part) => items.slice(begin(part), begin(part + 1)));
}

function advantagesOf(
  groups: readonly Group[],
  options: TrainOptions,
  { tokenRewards, values, greedyRewards }: AdvantageInputs,
): { advantages: Float64Array[][]; returns?: Float64Array[][] } {
  const ofEach = <Value>(value: (graded: GradedTrajectory) => Value) => groups.map((group) => group.map(value));
  const byId = <Value>(map: ReadonlyMap<number, Value>) =>
    ofEach(({ trajectory: { id } }) => {
      const value = map.get(id);
      if (value === undefined) throw new Error(`nothing is known of trajectory ${id}`);
      return value;
    });
  const rewards = ofEach(({ grade }) => grade.numbers.reward);
  const shaping = tokenRewards === undefined ? {} : { tokenRewards: byId(tokenRewards) };
  const { advantageEstimator: estimator, scaleRewards, gamma: discount, lam: lambda } = options;
  if (estimator === "gae") {
    if (values === undefined) throw new Error("gae needs the values of a critic");
    const masks = ofEach(({ trajectory }) => trajectory.mask);
    const gae = { discount, lambda, observations: options.gaeObservations };
    return criticAdvantages({ rewards, masks, values: byId(values), ...shaping }, gae);
  }
  const actionTokens = ofEach(({ trajectory }) => trajectory.mask.reduce((sum, bit) => sum + bit, 0));
  const batch = { rewards, actionTokens, ...shaping, ...(greedyRewards !== undefined && { greedyRewards }) };
  return { advantages: tokenAdvantages(batch, { estimator, scaleRewards, discount }) };
}

function toSample({ id, promptIds, ids: completion, mask, logprobs }: GradedTrajectory["trajectory"]): Sample {
  const ids = new Uint32Array(promptIds.length + completion.length);
  ids.set(promptIds);
  ids.set(completion, promptIds.length);
  const scored = new Uint8Array(ids.length);
  scored.set(mask, promptIds.length);
  return { id, ids, scored, sampledLogprobs: logprobs.filter((_, t) => mask[t] === 1) };
}
