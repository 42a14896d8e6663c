/**
 * The update of a step, in the order of operations of the policy-gradient literature:
 *
 * kept groups -> what their tokens are before anything changes (l_old, l_ref, V) -> advantages and token weights ->
 * for each optimizer batch: forward, loss, one coefficient dL/dl_t per token, backward -> AdamW
 */
import { isUpdate } from "../../kernels/adamw";
import { UserError } from "../base/errors";
import { at, must } from "../base/must";
import { mean } from "../base/statistics";
import type { TrainOptions } from "../options/train";
import { logprobDifference } from "../rl/logprob-difference";
import { addTotals, emptyTotals, type ObjectiveTotals } from "../rl/objective";
import { type Accumulated, accumulate, criticValues, type TokensBefore } from "./accumulate";
import type { RolloutBatch } from "./batch";
import { type CriticResult, criticFigures } from "./critic";
import type { Learner } from "./learner";
import { maskedShares } from "./masks";
import { optimizerBatches, type WeightedSequence } from "./optimizer-batches";
import { importanceOptions, rateOfStep, updateSettings } from "./settings";
import type { SkippedUpdate } from "./skipped-update";
import { logprobsOf, ofTrajectory, type PerToken, type PolicySequence, sequencesOf } from "./trajectories";

/** What the updates on a rollout batch did. */
export interface UpdateResult {
  /** Over all updates. */
  readonly totals: ObjectiveTotals;
  /** Means over the updates. */
  readonly loss: number | null;
  /** Null where the weights were not to change: nothing to train on, or the critic's first steps. */
  readonly gradNorm: number | null;
  /** Updates that were to change the weights, and how many of them did not, for their gradient's norm. */
  readonly updates: number;
  readonly skipped: number;
  readonly learningRate: number;
  /** Mean entropy per sampled token that was trained on; null when none was. */
  readonly entropy: number | null;
  /** Of the first update, where the policy is still the one that sampled, unless it sampled ahead. */
  readonly logprobDifferenceMean: number;
  readonly logprobDifferenceMax: number;
  /** Weights of the correction for the sampler; absent without one. */
  readonly importance?: { readonly min: number; readonly mean: number; readonly max: number };
  /** Mean |advantage| per sampled token. */
  readonly advantageAbs: number | null;
  /** By mask asked for, the share of the kept trajectories that it left out. */
  readonly masked: Readonly<Record<string, number>>;
  /** Mean advantage of its tokens by trajectory id; filtered trajectories have none. */
  readonly advantages: ReadonlyMap<number, number>;
  /** With a reference: mean KL estimate per token, and its weight in this step. */
  readonly kl?: { readonly mean: number; readonly coefficient: number };
  readonly critic?: CriticResult;
}

/** Told of an update's course. */
export interface UpdateHooks {
  onProgress?(done: number, total: number): void;
  /** Awaited before weights change for the first time. */
  beforeWeightsChange?(): Promise<unknown>;
  /** Awaited after an update that changed nothing, while its gradient is there. */
  onSkipped?(skipped: SkippedUpdate): Promise<unknown>;
}

/**
 * Computes advantages over the kept groups, and makes `numIterations` passes over their optimizer batches, one update
 * for each.
 */
export async function update(
  learner: Learner,
  { kept, greedyRewards }: Pick<RolloutBatch, "kept" | "greedyRewards">,
  options: TrainOptions,
  step: number,
  { onProgress = () => {}, beforeWeightsChange = async () => {}, onSkipped = async () => {} }: UpdateHooks = {},
): Promise<UpdateResult> {
  const { optimizer, pass, critic, kl } = learner;
  const before = await tokensBefore(learner, sequencesOf(kept), options);
  const batches = optimizerBatches(kept, options, {
    ...(before.values && { values: before.values }),
    ...(before.reference &&
      options.klPlacement === "reward" && { tokenRewards: klRewards(before.old, before.reference, kl.coefficient) }),
    ...(greedyRewards && { greedyRewards }),
  });
  // Trajectories that are masked have no gradient, so they are not computed.
  const trained = batches
    .map((batch) => batch.filter(({ weight }) => weight !== 0))
    .filter((batch) => batch.length > 0);
  const learningRate = rateOfStep(options, options.learningRate, step);
  const settings = updateSettings(options, learningRate);
  const onlyCritic = critic !== undefined && step <= options.criticWarmupSteps;
  const updates: Accumulated[] = [];
  const gradNorms: number[] = [];
  let skipped = 0;
  let criticResult: CriticResult | undefined;
  if (critic?.own !== undefined) {
    // The critic is not sampled from, but a stop while it waits must find policy and critic at the same step.
    await beforeWeightsChange();
    criticResult = await critic.update(trained.flat(), criticValues(before), step);
  }
  for (let iteration = 0; iteration < options.numIterations; iteration++)
    for (const batch of trained) {
      const accumulated = await accumulate(learner, batch, before, options, onlyCritic, onProgress);
      updates.push(accumulated);
      if (onlyCritic) continue;
      if (gradNorms.length === 0) await beforeWeightsChange();
      const gradNorm = accumulated.isSound ? await optimizer.update(pass.gradients, settings) : Number.NaN;
      gradNorms.push(gradNorm);
      if (isUpdate(gradNorm, settings)) continue;
      skipped++;
      await onSkipped({ gradNorm, tokens: accumulated.tokens });
    }
  const sequences = batches.flat();
  if (critic !== undefined && critic.own === undefined)
    criticResult = sharedCriticResult(sequences, criticValues(before), updates);
  const totals = updates.reduce((sum, each) => addTotals(sum, each.totals), emptyTotals());
  const klMean = totals.tokens === 0 ? 0 : totals.klSum / totals.tokens;
  const result: UpdateResult = {
    ...policyFigures(updates, totals, options),
    gradNorm: gradNorms.length === 0 ? null : mean(gradNorms),
    updates: gradNorms.length,
    skipped,
    learningRate,
    advantageAbs: meanAbsoluteAdvantage(sequences),
    masked: maskedShares(kept.flat(), options),
    // A trajectory without a sampled token has no advantage that could count.
    advantages: new Map(sequences.map(({ id, advantages }) => [id, mean([...advantages], 0)] as const)),
    ...(before.reference && { kl: { mean: klMean, coefficient: kl.coefficient } }),
    ...(criticResult && { critic: criticResult }),
  };
  // While the policy waits, its KL says nothing of beta.
  if (before.reference !== undefined && totals.tokens > 0 && !onlyCritic) kl.adapt(klMean, sequences.length);
  return result;
}

/**
 * l_old is what the sampler recorded, unless a correction for it is asked for: then what the trainer computes before
 * the first update, so that the correction has two policies to compare.
 */
async function tokensBefore(
  { pass, reference, critic }: Learner,
  sequences: readonly PolicySequence[],
  options: TrainOptions,
): Promise<TokensBefore> {
  const before: TokensBefore = {
    old:
      importanceOptions(options) === undefined
        ? new Map(sequences.map(({ id, sampledLogprobs }) => [id, sampledLogprobs]))
        : await logprobsOf(pass, sequences, options.temperature),
    reference: reference && (await logprobsOf(reference, sequences, options.temperature)),
    values: await critic?.values(sequences),
  };
  refuseBroken("the reference model's log-probs", before.reference);
  refuseBroken("the critic's values", before.values);
  return before;
}

/** Neither model can mend itself, so going on would only repeat it. */
function refuseBroken(what: string, values: PerToken | undefined): void {
  for (const [id, list] of values ?? [])
    if (!list.every(Number.isFinite))
      throw new UserError(
        `${what} of trajectory ${id} are not finite; go on from an earlier checkpoint with a smaller --learning-rate or --critic-learning-rate`,
      );
}

/** -beta (l_old - l_ref) of every sampled token: the KL penalty of PPO and REINFORCE++. */
function klRewards(old: PerToken, reference: PerToken, coefficient: number): ReadonlyMap<number, Float64Array> {
  return new Map(
    [...old].map(([id, logprobs]) => {
      const fixed = ofTrajectory(reference, id, "reference log-probs");
      return [id, Float64Array.from(logprobs, (logprob, t) => -coefficient * (logprob - at(fixed, t)))];
    }),
  );
}

/** Figures of the loss over all updates; of the sampler's log-probs by the first. */
function policyFigures(updates: readonly Accumulated[], totals: ObjectiveTotals, options: TrainOptions) {
  const [first] = updates;
  const difference = logprobDifference(first?.sampledLogprobs ?? [], first?.trainedLogprobs ?? []);
  return {
    totals,
    loss: updates.length === 0 ? null : mean(updates.map((each) => each.totals.loss)),
    entropy: totals.tokens === 0 ? null : updates.reduce((sum, each) => sum + each.entropySum, 0) / totals.tokens,
    logprobDifferenceMean: difference.meanAbsolute,
    logprobDifferenceMax: difference.maxAbsolute,
    ...(importanceOptions(options) && first && { importance: spreadOf(first.importanceWeights) }),
  };
}

function meanAbsoluteAdvantage(sequences: readonly WeightedSequence[]): number | null {
  const tokens = sequences.reduce((sum, { advantages }) => sum + advantages.length, 0);
  if (tokens === 0) return null;
  const total = sequences.reduce(
    (sum, { advantages }) => sum + advantages.reduce((own, value) => own + Math.abs(value), 0),
    0,
  );
  return total / tokens;
}

/** Figures of a critic on the policy's trunk, whose loss was part of the policy's updates. */
function sharedCriticResult(
  sequences: readonly WeightedSequence[],
  values: PerToken,
  updates: readonly Accumulated[],
): CriticResult {
  const sums = { loss: 0, clipped: 0, tokens: 0 };
  for (const { value } of updates) {
    const { loss, clipped, tokens } = must(value, "the value loss of an update");
    sums.loss += loss;
    sums.clipped += clipped;
    sums.tokens += tokens;
  }
  // Of trajectories that are all masked, nothing was learned.
  return { ...criticFigures(updates.length === 0 ? [] : sequences, values, sums), gradNorm: null };
}

function spreadOf(weights: readonly number[]): { min: number; mean: number; max: number } {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const weight of weights) [min, max] = [Math.min(min, weight), Math.max(max, weight)];
  return { min, mean: mean(weights, 0), max };
}
