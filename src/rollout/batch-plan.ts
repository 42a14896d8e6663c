/**
 * Batch plan: which rows of the decoding sequences the next batch computes (continuous batching with chunked prefill),
 * and which tokens it will bring.
 */
import type { RowBatch } from "./decoder";
import { lastPromptPage, type Sequence } from "./decoding-sequence";

/** A token that a batch will bring, for the sequence as it was when the batch was made. */
export interface ExpectedToken {
  sequence: Sequence;
  epoch: number;
  position: number;
}

/** A batch, and what its results mean. */
export interface PlannedBatch {
  batch: RowBatch;
  expected: ExpectedToken[];
  /** Page copies that must follow the batch: the prompt's last page, for each follower. */
  copies: { from: number; to: number }[];
}

/**
 * Takes the next rows of the running sequences and moves their positions on. Each decoding sequence gives one row;
 * prompts and observations share what is left of `maxRows` in order of admission. With at most `maxRows` sequences none
 * can starve: where one has several rows to compute, the others' single rows leave at least one.
 */
export function planBatch(sequences: Iterable<Sequence>, maxRows: number): PlannedBatch | undefined {
  const single: Sequence[] = [];
  const several: Sequence[] = [];
  for (const sequence of sequences) {
    const pending = pendingRows(sequence);
    if (pending === 1) single.push(sequence);
    else if (pending > 1) several.push(sequence);
  }
  if (single.length + several.length === 0) return undefined;

  const slots: number[] = [];
  const positions: number[] = [];
  const samples: { row: number; sequence: Sequence; position: number }[] = [];
  const copies: PlannedBatch["copies"] = [];
  for (const sequence of [...single, ...several]) {
    const count = Math.min(pendingRows(sequence), maxRows - slots.length);
    for (let i = 0; i < count; i++) {
      slots.push(sequence.slot);
      positions.push(sequence.next++);
    }
    if (count === 0 || sequence.next <= sequence.known) continue;
    const row = slots.length - 1;
    const position = sequence.next;
    samples.push({ row, sequence, position });
    sequence.known = position;
    const { group } = sequence;
    if (group.prefilled) continue;
    group.prefilled = true;
    for (const follower of group.followers) {
      samples.push({ row, sequence: follower, position });
      follower.state = "run";
      follower.next = position;
      follower.known = position;
      copies.push(lastPromptPage(follower));
    }
    group.followers = [];
  }
  return {
    batch: {
      slots: Uint32Array.from(slots),
      positions: Uint32Array.from(positions),
      sampleRows: Uint32Array.from(samples, (sample) => sample.row),
      sampleSlots: Uint32Array.from(samples, (sample) => sample.sequence.slot),
      trajectoryIds: Uint32Array.from(samples, (sample) => sample.sequence.id),
    },
    expected: samples.map(({ sequence, position }) => ({ sequence, epoch: sequence.epoch, position })),
    copies,
  };
}

/** Rows that the sequence could give to the next batch. */
function pendingRows(sequence: Sequence): number {
  if (sequence.state !== "run") return 0;
  return Math.max(0, Math.min(sequence.known, sequence.lastRow) - sequence.next + 1);
}
