/** What a rollout batch does to the weights: kept groups -> advantages -> coefficients -> gradient -> AdamW, in the order of operations of the policy-gradient literature. */
import { isUpdate } from "../../kernels/optimizer";
import { mean } from "../base/statistics";
import type { TrainOptions } from "../options/train";
import { logprobDifference } from "../rl/logprob-difference";
import { addTotals, emptyTotals, type ObjectiveTotals } from "../rl/totals";
import { rateOfStep, updateSettings } from "../session/adamw-settings";
import { type Accumulated, accumulate } from "./accumulate";
import { type Before, klRewards, valuesBefore } from "./before";
import { type CriticResult, criticFigures } from "./critic";
import type { Learner } from "./learner";
import { importanceOptions } from "./loss-settings";
import { optimizerBatches, samplesOf, type WeightedSample } from "./optimizer-batch";
import type { RolloutBatch } from "./rollout-batch";
import { maskedShares } from "./sample-filter";
import type { SkippedUpdate } from "./skipped-update";

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

/** Computes advantages over the kept groups, and makes `numIterations` passes over their optimizer batches, one update for each. */
export async function update(
  learner: Learner,
  { kept, greedyRewards }: Pick<RolloutBatch, "kept" | "greedyRewards">,
  options: TrainOptions,
  step: number,
  { onProgress = () => {}, beforeWeightsChange = async () => {}, onSkipped = async () => {} }: UpdateHooks = {},
): Promise<UpdateResult> {
  const { optimizer, pass, critic, kl } = learner;
  const before = await valuesBefore(learner, samplesOf(kept), options);
  const batches = optimizerBatches(kept, options, {
    ...(before.values && { values: before.values }),
    ...(before.reference && options.klPlacement === "reward" && { tokenRewards: klRewards(before, kl.coefficient) }),
    ...(greedyRewards && { greedyRewards }),
  });
  const samples = batches.flat();
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
  if (critic !== undefined && before.values !== undefined) {
    // The critic is not sampled from, but a stop while it waits must find policy and critic at the same step.
    await beforeWeightsChange();
    criticResult = await critic.update(trained.flat(), before.values, step);
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
  const totals = updates.reduce((sum, each) => addTotals(sum, each.totals), emptyTotals());
  const [first] = updates;
  const difference = logprobDifference(first?.sampled ?? [], first?.trained ?? []);
  const tokens = samples.reduce((sum, { advantages }) => sum + advantages.length, 0);
  const klMean = totals.tokens === 0 ? 0 : totals.klSum / totals.tokens;
  const result: UpdateResult = {
    totals,
    loss: updates.length === 0 ? null : mean(updates.map((each) => each.totals.loss)),
    gradNorm: gradNorms.length === 0 ? null : mean(gradNorms),
    updates: gradNorms.length,
    skipped,
    learningRate,
    entropy: totals.tokens === 0 ? null : updates.reduce((sum, each) => sum + each.entropySum, 0) / totals.tokens,
    logprobDifferenceMean: difference.meanAbsolute,
    logprobDifferenceMax: difference.maxAbsolute,
    ...(importanceOptions(options) && first && { importance: spreadOf(first.weights) }),
    advantageAbs:
      tokens === 0
        ? null
        : samples.reduce((sum, { advantages }) => sum + advantages.reduce((a, value) => a + Math.abs(value), 0), 0) /
          tokens,
    masked: maskedShares(kept.flat(), options),
    advantages: new Map(samples.map(({ id, advantages }) => [id, mean([...advantages], 0)] as const)),
    ...(before.reference && { kl: { mean: klMean, coefficient: kl.coefficient } }),
    ...(criticResult && { critic: withShared(criticResult, samples, before, updates) }),
  };
  // While the policy waits, its KL says nothing of beta.
  if (before.reference !== undefined && totals.tokens > 0 && !onlyCritic) kl.adapt(klMean, samples.length);
  return result;
}

/** The figures of a critic on the policy's trunk, whose loss was part of the policy's updates. */
function withShared(
  result: CriticResult,
  samples: readonly WeightedSample[],
  { values = new Map() }: Before,
  updates: readonly Accumulated[],
): CriticResult {
  const shared = updates.flatMap(({ value }) => value ?? []);
  if (shared.length === 0) return result;
  const sum = (of: (value: (typeof shared)[number]) => number) => shared.reduce((total, each) => total + of(each), 0);
  return {
    ...criticFigures(samples, values, {
      loss: sum(({ loss }) => loss),
      clipped: sum(({ clipped }) => clipped),
      tokens: sum(({ tokens }) => tokens),
    }),
    gradNorm: null,
  };
}

function spreadOf(weights: readonly number[]): { min: number; mean: number; max: number } {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const weight of weights) [min, max] = [Math.min(min, weight), Math.max(max, weight)];
  return { min, mean: mean(weights), max };
}
