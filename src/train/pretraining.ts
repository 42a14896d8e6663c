/** Next-token training on documents: one document is one sequence, a step is a fixed number of tokens, every token but the first is scored. */
import type { AdamWStep } from "../../kernels/optimizer";
import type { Optimizer } from "../model/optimizer";
import type { TrainingPass, TrainingSequence } from "../model/training";

/** What one step did. */
export interface NextTokenResult {
  /** Mean negative log-likelihood per token, in nats. */
  readonly loss: number;
  readonly gradNorm: number;
  readonly tokens: number;
}

/** One update on `batch`. A gradient that is not finite changes nothing and is returned as the norm. */
export async function nextTokenStep(
  pass: TrainingPass,
  optimizer: Optimizer,
  batch: readonly TrainingSequence[],
  settings: Omit<AdamWStep, "step">,
): Promise<NextTokenResult> {
  const tokens = countRows(batch);
  pass.clearGradients();
  const losses: Promise<number>[] = [];
  for (const sequences of microBatches(batch, pass)) {
    // The coefficients do not depend on the log-probs, so the backward pass is recorded before they are back.
    losses.push(pass.forward(sequences, 1).then(({ logprobs }) => -sum(logprobs)));
    pass.backward(new Float32Array(countRows(sequences)).fill(-1 / tokens));
  }
  const gradNorm = await optimizer.update(pass.gradients, settings);
  return { loss: sum(await Promise.all(losses)) / tokens, gradNorm, tokens };
}

/** Mean negative log-likelihood per token of documents, without training on them. */
export async function nextTokenLoss(pass: TrainingPass, documents: readonly TrainingSequence[]): Promise<number> {
  let total = 0;
  for (const sequences of microBatches(documents, pass)) total -= sum((await pass.forward(sequences, 1)).logprobs);
  return total / countRows(documents);
}

/** Takes documents until they hold at least `wanted` tokens; longer ones are cut to `longest`. */
export function takeDocuments(documents: Iterator<Uint32Array>, wanted: number, longest: number): TrainingSequence[] {
  const batch: TrainingSequence[] = [];
  for (let tokens = 0; tokens < wanted; ) {
    const next = documents.next();
    if (next.done) break;
    const ids = next.value.subarray(0, longest);
    if (ids.length < 2) continue;
    batch.push(fullyScored(ids));
    tokens += ids.length - 1;
  }
  return batch;
}

/** A sequence of which every token counts. */
export function fullyScored(ids: Uint32Array): TrainingSequence {
  return { ids, scored: new Uint8Array(ids.length).fill(1) };
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

function countRows(sequences: readonly TrainingSequence[]): number {
  return sequences.reduce((rows, { ids }) => rows + ids.length - 1, 0);
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
