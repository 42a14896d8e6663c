/** Micro-batches: sequences in parts that fit a pass, and how many tokens they count. */
import type { TrainingSequence } from "./sequences";

/** Splits sequences, in order, into micro-batches that fit the pass. */
export function* microBatches<Sequence extends TrainingSequence>(
  sequences: readonly Sequence[],
  pass: { fits(sequences: number, rows: number): boolean },
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

/** Tokens whose log-prob is wanted: never a sequence's first. */
export function countScored(sequences: readonly TrainingSequence[]): number {
  return sequences.reduce(
    (sum, { scored }) => scored.subarray(1).reduce((own, bit) => own + Number(bit !== 0), sum),
    0,
  );
}

/** All tokens, prompts included. */
export function countTokens(sequences: readonly TrainingSequence[]): number {
  return sequences.reduce((sum, { ids }) => sum + ids.length, 0);
}

/** A sequence of which every token counts. */
export function fullyScored(ids: Uint32Array): TrainingSequence {
  return { ids, scored: new Uint8Array(ids.length).fill(1) };
}
