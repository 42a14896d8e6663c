/** One optimizer batch: groups -> advantages -> coefficients -> gradient -> AdamW, in the order of operations of the policy-gradient literature. */
import type { Optimizer } from "../model/optimizer";
import type { TrainingPass, TrainingSequence } from "../model/training";
import { groupAdvantages, reinforcePlusPlusBaseline } from "../rl/advantages";
import { type Aggregation, tokenWeights } from "../rl/aggregation";
import { filterGroups } from "../rl/filters";
import { logprobDifference } from "../rl/logprob-difference";
import { addTotals, type ClipOptions, emptyTotals, type ObjectiveTotals, trajectoryLoss } from "../rl/objective";
import type { GradedTrajectory } from "./collect";
import type { TrainOptions } from "./options";
import { microBatches } from "./pretraining";
import { learningRateAt } from "./schedule";

/** What an update did; all numbers are those of the first iteration, where the policy is still the one that sampled. */
export interface UpdateResult {
  readonly totals: ObjectiveTotals;
  readonly gradNorm: number;
  readonly learningRate: number;
  /** Mean entropy per sampled token of the trajectories trained on; null when none was. */
  readonly entropy: number | null;
  readonly logprobDifferenceMean: number;
  readonly logprobDifferenceMax: number;
  /** Mean |advantage| per sampled token. */
  readonly advantageAbs: number;
  readonly kept: readonly (readonly GradedTrajectory[])[];
  /** Advantage by trajectory id; filtered trajectories have none. */
  readonly advantages: ReadonlyMap<number, number>;
}

/** A trajectory in the shape of the training pass, with what its coefficients need. */
interface Sample extends TrainingSequence {
  readonly sampledLogprobs: Float32Array;
  readonly advantage: number;
  readonly weight: number;
}

const AGGREGATIONS: Record<TrainOptions["lossType"], Aggregation> = {
  dapo: "token-mean",
  grpo: "seq-mean-token-mean",
  dr_grpo: "seq-mean-token-sum-norm",
};

/** Filters groups, computes advantages over what is left, and makes `numIterations` optimizer steps. */
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
  const samples = toSamples(kept, options);
  const clip: ClipOptions = {
    epsilonLow: options.epsilon,
    epsilonHigh: options.epsilonHigh ?? options.epsilon,
    ...(options.delta === null ? {} : { dualClip: options.delta }),
  };
  const learningRate = learningRateAt(
    {
      name: options.lrSchedulerType,
      peak: options.learningRate,
      warmupSteps: options.warmupSteps,
      totalSteps: options.maxSteps,
      finalFraction: options.minLrRate,
      decayFraction: 0,
    },
    step,
  );
  const batches = [...microBatches(samples, pass)];
  let first: Iteration | undefined;
  for (let iteration = 0; iteration < options.numIterations && samples.length > 0; iteration++) {
    const result = await iterate(pass, batches, clip, options.temperature, onProgress);
    const gradNorm = await optimizer.update(pass.gradients, {
      learningRate,
      beta1: options.adamBeta1,
      beta2: options.adamBeta2,
      epsilon: options.adamEpsilon,
      weightDecay: options.weightDecay,
      maxNorm: options.maxGradNorm ?? 0,
    });
    first ??= { ...result, gradNorm };
  }
  const tokens = samples.reduce((sum, sample) => sum + sample.sampledLogprobs.length, 0);
  const difference = logprobDifference(first?.sampled ?? [], first?.trained ?? []);
  return {
    totals: first?.totals ?? emptyTotals(),
    gradNorm: first?.gradNorm ?? 0,
    learningRate,
    entropy: first === undefined ? null : first.entropySum / tokens,
    logprobDifferenceMean: difference.meanAbsolute,
    logprobDifferenceMax: difference.maxAbsolute,
    advantageAbs:
      tokens === 0
        ? 0
        : samples.reduce((sum, sample) => sum + Math.abs(sample.advantage) * sample.sampledLogprobs.length, 0) / tokens,
    kept,
    advantages: new Map(
      kept.flat().map(({ trajectory }, index) => [trajectory.id, samples[index]?.advantage ?? 0] as const),
    ),
  };
}

interface Iteration {
  readonly totals: ObjectiveTotals;
  readonly entropySum: number;
  readonly sampled: readonly number[];
  readonly trained: readonly number[];
  readonly gradNorm?: number;
}

/** Accumulates the gradient of the whole batch over its micro-batches. */
async function iterate(
  pass: TrainingPass,
  batches: readonly Sample[][],
  clip: ClipOptions,
  temperature: number,
  onProgress: (done: number, total: number) => void,
): Promise<Iteration> {
  pass.clearGradients();
  let totals = emptyTotals();
  let entropySum = 0;
  const sampled: number[] = [];
  const trained: number[] = [];
  for (const [index, batch] of batches.entries()) {
    const { logprobs, entropies } = await pass.forward(batch, temperature);
    const coefficients = new Float32Array(logprobs.length);
    let at = 0;
    for (const sample of batch) {
      const own = logprobs.subarray(at, at + sample.sampledLogprobs.length);
      const loss = trajectoryLoss(
        { logprobs: own, oldLogprobs: sample.sampledLogprobs, advantage: sample.advantage, weight: sample.weight },
        clip,
      );
      coefficients.set(loss.coefficients, at);
      totals = addTotals(totals, loss.totals);
      sampled.push(...sample.sampledLogprobs);
      trained.push(...own);
      at += own.length;
    }
    for (const entropy of entropies) entropySum += entropy;
    pass.backward(coefficients);
    onProgress(index + 1, batches.length);
  }
  return { totals, entropySum, sampled, trained };
}

/** Advantages per trajectory, and the weight of each of its tokens in the loss over the whole batch. */
function toSamples(groups: readonly (readonly GradedTrajectory[])[], options: TrainOptions): Sample[] {
  const rewards = groups.map((group) => group.map(({ grade }) => grade.numbers.reward));
  const counts = groups.map((group) => group.map(({ trajectory }) => actionTokens(trajectory.mask)));
  const advantages =
    options.advantageEstimator === "grpo"
      ? groupAdvantages(rewards, { scaleRewards: options.scaleRewards })
      : reinforcePlusPlusBaseline(rewards, counts).advantages;
  const weights = tokenWeights(counts.flat(), {
    mode: AGGREGATIONS[options.lossType],
    lengthNorm: options.maxCompletionLength,
  });
  const flat = advantages.flat();
  return groups.flat().map(({ trajectory }, index) => {
    const prompt = trajectory.promptIds;
    const ids = new Uint32Array(prompt.length + trajectory.ids.length);
    ids.set(prompt);
    ids.set(trajectory.ids, prompt.length);
    const scored = new Uint8Array(ids.length);
    scored.set(trajectory.mask, prompt.length);
    return {
      ids,
      scored,
      sampledLogprobs: trajectory.logprobs.filter((_, t) => trajectory.mask[t] === 1),
      advantage: flat[index] ?? 0,
      weight: weights[index] ?? 0,
    };
  });
}

function actionTokens(mask: Uint8Array): number {
  return mask.reduce((sum, bit) => sum + bit, 0);
}

function groupBounds(options: TrainOptions): { low: number; high: number } | undefined {
  if (options.groupFilterMin === null && options.groupFilterMax === null) return undefined;
  // A missing bound lets everything through on its side; rewards lie in [0, 1].
  return { low: options.groupFilterMin ?? -1, high: options.groupFilterMax ?? 2 };
}
