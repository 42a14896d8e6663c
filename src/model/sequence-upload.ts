/** Whole sequences as the row lists of a forward pass. */
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
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
  /** [rows, 4], see {@link Model.forward}. */
  readonly rows: BufferView;
  readonly shape: { readonly pageSize: number };
  fits(sequences: number, rows: number): boolean;
}

/** The rows of a micro-batch, and which of them predict a scored token. */
export interface SequenceRows {
  /** [count, 4]: slot, position, end of the sequence's rows, 0. */
  readonly rows: Uint32Array;
  readonly count: number;
  /** [count]: the token of every row. */
  readonly tokens: Uint32Array;
  /** The row before each scored token, sequence after sequence, positions ascending. */
  readonly scored: Uint32Array;
}

/**
 * Writes tokens, pages and rows. The last token of a sequence predicts nothing, so it has no row.
 * @throws RangeError when the sequences do not fit
 */
export function uploadSequences(
  gpu: GpuContext,
  buffers: SequenceBuffers,
  sequences: readonly TrainingSequence[],
): SequenceRows {
  const { tables } = buffers;
  const count = sequences.reduce((sum, sequence) => sum + sequence.ids.length - 1, 0);
  if (!buffers.fits(sequences.length, count))
    throw new RangeError(`${sequences.length} sequences of ${count} rows do not fit this pass`);
  const rows = new Uint32Array(count * 4);
  const tokens = new Uint32Array(count);
  const scoredRows: number[] = [];
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
      tokens[row] = ids[position] ?? 0;
      if (scored[position + 1]) scoredRows.push(row);
    }
  });
  gpu.write(buffers.rows, rows);
  return { rows, count, tokens, scored: Uint32Array.from(scoredRows) };
}
