/** Next-token training on documents: one document is one sequence, a step is a fixed number of tokens, every token but the first is scored. */
import type { Model } from "../model/model";
import { Optimizer } from "../model/optimizer";
import { TrainingPass, type TrainingSequence, type TrainingShape } from "../model/training";
import { learningRateAt, type Schedule } from "./schedule";

export interface PretrainingSettings {
  readonly steps: number;
  /** A step takes documents until they hold at least this many tokens. */
  readonly tokensPerStep: number;
  readonly schedule: Schedule;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly maxGradNorm: number;
}

export interface PretrainingMetrics {
  readonly step: number;
  /** Mean negative log-likelihood per token, in nats. */
  readonly loss: number;
  readonly gradNorm: number;
  readonly learningRate: number;
  /** Tokens seen so far. */
  readonly tokens: number;
}

/** Thrown when a loss or gradient is no longer finite. */
export class DivergedError extends Error {
  override readonly name = "UserError";
}

/**
 * Trains `model` in place on documents from an endless source, calling `onStep` after every update.
 * @throws DivergedError when the gradient norm is not finite
 */
export async function pretrain(
  model: Model,
  documents: Iterator<Uint32Array>,
  settings: PretrainingSettings,
  shape: TrainingShape,
  onStep: (metrics: PretrainingMetrics) => Promise<void> | void,
  signal?: AbortSignal,
): Promise<void> {
  const pass = new TrainingPass(model, shape);
  const optimizer = new Optimizer(model);
  let tokens = 0;
  for (let step = 1; step <= settings.steps && !signal?.aborted; step++) {
    const batch = takeDocuments(documents, settings.tokensPerStep, shape.sequenceLength);
    const scored = batch.reduce((sum, { ids }) => sum + ids.length - 1, 0);
    pass.clearGradients();
    const pending: Promise<number>[] = [];
    for (const sequences of microBatches(batch, pass)) {
      const count = sequences.reduce((sum, { ids }) => sum + ids.length - 1, 0);
      // The coefficients do not depend on the log-probs, so the backward pass is recorded before they are back.
      pending.push(pass.forward(sequences, 1).then(({ logprobs }) => -logprobs.reduce((sum, value) => sum + value, 0)));
      pass.backward(new Float32Array(count).fill(-1 / scored));
    }
    const learningRate = learningRateAt(settings.schedule, step);
    const gradNorm = await optimizer.update(pass.gradients, {
      learningRate,
      beta1: settings.beta1,
      beta2: settings.beta2,
      epsilon: settings.epsilon,
      weightDecay: settings.weightDecay,
      maxNorm: settings.maxGradNorm,
    });
    const loss = (await Promise.all(pending)).reduce((sum, value) => sum + value, 0) / scored;
    if (!Number.isFinite(gradNorm))
      throw new DivergedError(`pretraining diverged at step ${step}: the gradient norm is ${gradNorm}; use a smaller --learning-rate`);
    tokens += scored;
    await onStep({ step, loss, gradNorm, learningRate, tokens });
  }
  pass.destroy();
  optimizer.destroy();
}

function takeDocuments(documents: Iterator<Uint32Array>, wanted: number, longest: number): TrainingSequence[] {
  const batch: TrainingSequence[] = [];
  for (let tokens = 0; tokens < wanted; ) {
    const next = documents.next();
    if (next.done) break;
    const ids = next.value.subarray(0, longest);
    if (ids.length < 2) continue;
    batch.push({ ids, scored: new Uint8Array(ids.length).fill(1) });
    tokens += ids.length - 1;
  }
  return batch;
}

/** Splits sequences, in order, into micro-batches that fit the pass. */
export function* microBatches<Sequence extends TrainingSequence>(
  sequences: readonly Sequence[],
  pass: Pick<TrainingPass, "fits">,
): Generator<Sequence[]> {
  let current: Sequence[] = [];
  let rows = 0;
  for (const sequence of sequences) {
    const added = sequence.ids.length - 1;
    if (current.length > 0 && !pass.fits(current.length + 1, rows + added)) {
      yield current;
      current = [];
      rows = 0;
    }
    current.push(sequence);
    rows += added;
  }
  if (current.length > 0) yield current;
}
