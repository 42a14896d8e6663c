/**
 * Chunks of rows: a head goes through the scored rows of a batch a chunk at a time, so that what is wide (logits above
 * all) is never there for all rows at once.
 */
import { type BufferView, subview } from "../gpu/buffers";

/**
 * Chunks begin at multiples of this many rows, so that every per-row buffer can be cut there: bindings begin at
 * multiples of 256 bytes, which are 64 rows of one f32.
 */
export const ROW_ALIGNMENT = 64;

/** Consecutive places of the row index. */
export interface Chunk {
  readonly begin: number;
  readonly count: number;
}

/** The chunks of `count` rows, in order. @param chunkRows rows of each but the last, a multiple of the alignment */
export function* chunksOf(count: number, chunkRows: number): Generator<Chunk> {
  for (let begin = 0; begin < count; begin += chunkRows) yield { begin, count: Math.min(chunkRows, count - begin) };
}

/** The next multiple of {@link ROW_ALIGNMENT}. */
export function aligned(rows: number): number {
  return Math.ceil(rows / ROW_ALIGNMENT) * ROW_ALIGNMENT;
}

/** `view` from a byte offset to its end: one bind group per chunk, whatever the number of rows. */
export function viewFrom(view: BufferView, byteOffset: number): BufferView {
  return byteOffset === 0 ? view : subview(view, byteOffset, view.size - byteOffset);
}
