/** Whole sequences as the row lists of a forward pass. */
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { HeadWorkspace } from "./head";
import type { SequenceTables } from "./sequences";

/** One sequence of a micro-batch. */
export interface TrainingSequence {
  /** All token ids, prompt included. */
  readonly ids: Uint32Array;
  /** scored[t] is not 0 where the log-prob of ids[t] is wanted; t = 0 has no log-prob and is never scored. */
  readonly scored: Uint8Array;
}

/** Where the row lists go, and how much fits. */
export interface SequenceBuffers {
  readonly tables: SequenceTables;
  readonly head: HeadWorkspace;
  /** [rows, 4], see {@link Model.forward}. */
  readonly rows: BufferView;
  readonly shape: { readonly pageSize: number };
  fits(sequences: number, rows: number): boolean;
}

/**
 * Writes tokens, pages, rows and scored entries. The last token of a sequence predicts nothing, so it has no row.
 * @returns counts, and the token of every row
 * @throws RangeError when the sequences do not fit
 */
export function uploadSequences(
  gpu: GpuContext,
  buffers: SequenceBuffers,
  sequences: readonly TrainingSequence[],
): { rowCount: number; scoredCount: number; rowTokens: Uint32Array } {
  const { tables, head } = buffers;
  const rowCount = sequences.reduce((sum, sequence) => sum + sequence.ids.length - 1, 0);
  if (!buffers.fits(sequences.length, rowCount))
    throw new RangeError(`${sequences.length} sequences of ${rowCount} rows do not fit this training pass`);
  const rows = new Uint32Array(rowCount * 4);
  const rowTokens = new Uint32Array(rowCount);
  const rowIndex: number[] = [];
  const entries: number[] = [];
  let row = 0;
  let page = 0;
  sequences.forEach(({ ids, scored }, slot) => {
    tables.setTokens(slot, 0, ids);
    const pageCount = Math.ceil(ids.length / buffers.shape.pageSize);
    tables.setPages(
      slot,
      Uint32Array.from({ length: pageCount }, () => page++),
    );
    const end = row + ids.length - 1;
    for (let position = 0; position < ids.length - 1; position++, row++) {
      rows.set([slot, position, end, 0], row * 4);
      rowTokens[row] = ids[position] ?? 0;
      if (!scored[position + 1]) continue;
      entries.push(rowIndex.length % head.chunkRows, slot, position + 1, 0);
      rowIndex.push(row);
    }
  });
  gpu.write(buffers.rows, rows);
  gpu.write(head.rowIndex, Uint32Array.from(rowIndex));
  head.writeEntries(0, Uint32Array.from(entries));
  return { rowCount, scoredCount: rowIndex.length, rowTokens };
}
