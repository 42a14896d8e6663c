/** One rollout batch: groups -> advantages -> coefficients -> gradient -> AdamW, in the order of operations of the policy-gradient literature. */
import type { Optimizer } from "../model/optimizer";
import type { TrainingPass } from "../model/training";
import { filterGroups } from "../rl/filters";
import { importanceWeights } from "../rl/importance";
import { logprobDifference } from "../rl/logprob-difference";
import { mean } from "../rl/moments";
import { trajectoryLoss } from "../rl/objective";
import { addTotals, emptyTotals, type ObjectiveTotals } from "../rl/totals";
import type { GradedTrajectory } from "./collect";
import { importanceOptions, lossOptions } from "./loss-settings";
import { maskedShares, optimizerBatches, type Sample } from "./optimizer-batch";
import type { TrainOptions } from "./options";
import { microBatches } from "./pretraining";
import { learningRateAt } from "./schedule";

/** What the updates on a rollout batch did. */
export interface UpdateResult {
  /** Over all updates. */
  readonly totals: ObjectiveTotals;
  /** Means over the updates. */
  readonly loss: number;
  readonly gradNorm: number;
  readonly learningRate: number;
  /** Mean entropy per sampled token that was trained on; null when none was. */
  readonly entropy: number | null;
  /** Of the first update, where the policy is still the one that sampled. */
  readonly logprobDifferenceMean: number;
  readonly logprobDifferenceMax: number;
  /** Mean |advantage| per sampled token. */
  readonly advantageAbs: number;
  readonly kept: readonly (readonly GradedTrajectory[])[];
  /** By mask asked for, the share of the kept trajectories that it left out. */
  readonly masked: Readonly<Record<string, number>>;
  /** Mean advantage of its tokens by trajectory id; filtered trajectories have none. */
  readonly advantages: ReadonlyMap<number, number>;
}

/** Filters groups, computes advantages over what is left, and makes `numIterations` passes over its optimizer batches, one update for each. */
export async function update(
  pass: TrainingPass,
  optimizer: Optimizer,
  groups: readonly (readonly GradedTrajectory[])[],
  options: TrainOptions,
  step: number,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<UpdateResult> {
  const bounds = groupBounds(options);
  const { kept } = filterGroups(groups, (group) => group.map(({ grade }) => grade.numbers.rule_rewards), bounds);
  const batches = optimizerBatches(kept, options);
  const learningRate = learningRateAt(
    {
      name: options.lrSchedulerType,
      peak: options.learningRate,
      warmupSteps: options.warmupSteps,
      totalSteps: options.maxSteps,
      finalFraction: options.minLrRate,
      decaySteps: 0,
    },
    step,
  );
  // Trajectories that are masked have no gradient, so they are not computed.
  const trained = batches
    .map((batch) => batch.filter(({ weight }) => weight !== 0))
    .filter((batch) => batch.length > 0);
  const old = await oldLogprobs(pass, trained.flat(), options);
  const updates: Accumulated[] = [];
  const gradNorms: number[] = [];
  for (let iteration = 0; iteration < options.numIterations; iteration++)
    for (const batch of trained) {
      updates.push(await accumulate(pass, batch, old, options, onProgress));
      gradNorms.push(
        await optimizer.update(pass.gradients, {
          learningRate,
          beta1: options.adamBeta1,
          beta2: options.adamBeta2,
          epsilon: options.adamEpsilon,
          weightDecay: options.weightDecay,
          maxNorm: options.maxGradNorm ?? 0,
        }),
      );
    }
  const totals = updates.reduce((sum, each) => addTotals(sum, each.totals), emptyTotals());
  const [first] = updates;
  const difference = logprobDifference(first?.sampled ?? [], first?.trained ?? []);
  const samples = batches.flat();
  const tokens = samples.reduce((sum, { advantages }) => sum + advantages.length, 0);
  return {
    totals,
    loss: mean(updates.map((each) => each.totals.loss)),
    gradNorm: mean(gradNorms),
    learningRate,
    entropy: totals.tokens === 0 ? null : updates.reduce((sum, each) => sum + each.entropySum, 0) / totals.tokens,
    logprobDifferenceMean: difference.meanAbsolute,
    logprobDifferenceMax: difference.maxAbsolute,
    advantageAbs:
      samples.reduce((sum, { advantages }) => sum + advantages.reduce((a, value) => a + Math.abs(value), 0), 0) /
      Math.max(1, tokens),
    kept,
    masked: maskedShares(kept.flat(), options),
    advantages: new Map(samples.map(({ id, advantages }) => [id, mean([...advantages])] as const)),
  };
}

/**
 * l_old by sample id. The sampler's own log-probs, unless a correction for it is asked for: then those of the trainer before the first update, so that the
 * correction has two policies to compare.
 */
async function oldLogprobs(
  pass: TrainingPass,
  samples: readonly Sample[],
  options: TrainOptions,
): Promise<ReadonlyMap<number, Float32Array>> {
  if (options.importanceSamplingMode === null)
    return new Map(samples.map(({ id, sampledLogprobs }) => [id, sampledLogprobs]));
  const old = new Map<number, Float32Array>();
  for (const batch of microBatches(samples, pass)) {
    const { logprobs } = await pass.forward(batch, options.temperature);
    let at = 0;
    for (const { id, sampledLogprobs } of batch) {
      old.set(id, logprobs.slice(at, at + sampledLogprobs.length));
      at += sampledLogprobs.length;
    }
  }
  return old;
}

interface Accumulated {
  readonly totals: ObjectiveTotals;
  readonly entropySum: number;
  readonly sampled: readonly number[];
  readonly trained: readonly number[];
}

/** Accumulates the gradient of an optimizer batch over its micro-batches. */
async function accumulate(
  pass: TrainingPass,
  samples: readonly Sample[],
  old: ReadonlyMap<number, Float32Array>,
  options: TrainOptions,
  onProgress: (done: number, total: number) => void,
): Promise<Accumulated> {
  const settings = lossOptions(options);
  const correction = importanceOptions(options);
  const batches = [...microBatches(samples, pass)];
  pass.clearGradients();
  let totals = emptyTotals();
  let entropySum = 0;
  const sampled: number[] = [];
  const trained: number[] = [];
  for (const [index, batch] of batches.entries()) {
    const { logprobs, entropies } = await pass.forward(batch, options.temperature);
    const coefficients = new Float32Array(logprobs.length);
    const entropyCoefficients = new Float32Array(logprobs.length);
    let at = 0;
    for (const sample of batch) {
      const end = at + sample.sampledLogprobs.length;
      const own = logprobs.subarray(at, end);
      const before = old.get(sample.id) ?? sample.sampledLogprobs;
      const loss = trajectoryLoss(
        {
          logprobs: own,
          oldLogprobs: before,
          advantages: sample.advantages,
          weight: sample.weight,
          entropies: entropies.subarray(at, end),
          ...(correction && { importance: importanceWeights(before, sample.sampledLogprobs, correction) }),
        },
        settings,
      );
      coefficients.set(loss.coefficients, at);
      entropyCoefficients.set(loss.entropyCoefficients, at);
      totals = addTotals(totals, loss.totals);
      sampled.push(...sample.sampledLogprobs);
      trained.push(...own);
      at = end;
    }
    for (const entropy of entropies) entropySum += entropy;
    if (options.entropyCoefficient === 0) pass.backward(coefficients);
    else pass.backward(coefficients, entropyCoefficients);
    onProgress(index + 1, batches.length);
  }
  return { totals, entropySum, sampled, trained };
}

function groupBounds(options: TrainOptions): { low: number; high: number } | undefined {
  if (options.groupFilterMin === null && options.groupFilterMax === null) return undefined;
  // A missing bound lets everything through on its side; rewards lie in [0, 1].
  return { low: options.groupFilterMin ?? -1, high: options.groupFilterMax ?? 2 };
}
