/**
 * Sequences as a forward pass sees them: on the GPU the slots' token ids, page tables and KV pages of all layers; and
 * the packed rows of whole sequences. Prefill, decode and training address tokens by rows (slot, position), so all
 * three run the same pipelines. (A trajectory that is being sampled is in `src/rollout/decoding-sequence.ts`.)
 */
import { KV_TILE } from "../../kernels/attention";
import type { PageShape } from "../../kernels/rope";
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { ModelConfig } from "./config";

/** Sizes of a set of slots. */
export interface SequenceShape {
  readonly slots: number;
  /** Most tokens of a slot. */
  readonly slotLength: number;
  readonly pageSize: number;
  readonly pages: number;
}

/** Buffers of a set of slots. Nothing in them is valid before it was written. */
export class SequenceTables {
  readonly slotTokens: BufferView;
  readonly slotPages: BufferView;
  readonly kPages: readonly BufferView[];
  readonly vPages: readonly BufferView[];
  readonly pageShape: PageShape;
  /** Elements of one page of one layer's pool. */
  readonly pageElements: number;
  readonly #gpu: GpuContext;

  constructor(
    gpu: GpuContext,
    config: ModelConfig,
    readonly shape: SequenceShape,
    label: string,
  ) {
    this.#gpu = gpu;
    if (shape.pageSize % KV_TILE !== 0)
      throw new RangeError(`pages of ${shape.pageSize} tokens do not hold whole attention tiles of ${KV_TILE}`);
    const pagesPerSlot = Math.ceil(shape.slotLength / shape.pageSize);
    this.pageShape = { pageSize: shape.pageSize, pagesPerSlot };
    this.pageElements = config.kvHeadCount * shape.pageSize * config.headDim;
    this.slotTokens = gpu.allocator.storage(`${label}: tokens of slots`, shape.slots * shape.slotLength * 4);
    this.slotPages = gpu.allocator.storage(`${label}: page tables`, shape.slots * pagesPerSlot * 4);
    const pool = (name: string, layer: number) =>
      gpu.allocator.storage(`${label}: ${name} pages of layer ${layer}`, shape.pages * this.pageElements * 4);
    this.kPages = Array.from({ length: config.layerCount }, (_, layer) => pool("key", layer));
    this.vPages = Array.from({ length: config.layerCount }, (_, layer) => pool("value", layer));
  }

  setTokens(slot: number, position: number, ids: Uint32Array): void {
    if (position + ids.length > this.shape.slotLength)
      throw new RangeError(`slot ${slot} holds ${this.shape.slotLength} tokens, not ${position + ids.length}`);
    this.#gpu.write(this.slotTokens, ids, (slot * this.shape.slotLength + position) * 4);
  }

  setPages(slot: number, pages: Uint32Array): void {
    if (pages.length > this.pageShape.pagesPerSlot)
      throw new RangeError(`slot ${slot} has ${this.pageShape.pagesPerSlot} pages, not ${pages.length}`);
    this.#gpu.write(this.slotPages, pages, slot * this.pageShape.pagesPerSlot * 4);
  }

  /** Writes whole sequences, one a slot, each into pages of its own from the first page on. */
  setSequences(sequences: readonly TrainingSequence[]): void {
    let page = 0;
    sequences.forEach(({ ids }, slot) => {
      this.setTokens(slot, 0, ids);
      // The last token has no row, so neither a key nor a value.
      const count = Math.ceil((ids.length - 1) / this.shape.pageSize);
      this.setPages(
        slot,
        Uint32Array.from({ length: count }, () => page++),
      );
    });
  }

  destroy(): void {
    for (const view of [this.slotTokens, this.slotPages, ...this.kPages, ...this.vPages])
      this.#gpu.allocator.destroy(view);
  }
}

/** One sequence of a micro-batch. */
export interface TrainingSequence {
  /** All token ids, prompt included. */
  readonly ids: Uint32Array;
  /** scored[t] is not 0 where the log-prob of ids[t] is wanted; t = 0 has no log-prob and is never scored. */
  readonly scored: Uint8Array;
}

/** A sequence that may go on where the forward pass before it ended. */
export interface ContinuedSequence extends TrainingSequence {
  /** First position that is computed, 0 unless given: keys and values of those before it are in their pages. */
  readonly from?: number;
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

/** One row for each token but a sequence's last, which predicts nothing; sequence s is in slot s. */
export function rowsOf(sequences: readonly ContinuedSequence[]): SequenceRows {
  const count = sequences.reduce((sum, { ids, from = 0 }) => sum + ids.length - 1 - from, 0);
  const rows = new Uint32Array(count * 4);
  const tokens = new Uint32Array(count);
  const scoredRows: number[] = [];
  let row = 0;
  sequences.forEach(({ ids, scored, from = 0 }, slot) => {
    const end = row + ids.length - 1 - from;
    tokens.set(ids.subarray(from, ids.length - 1), row);
    for (let position = from; position < ids.length - 1; position++, row++) {
      rows.set([slot, position, end, 0], row * 4);
      if (scored[position + 1]) scoredRows.push(row);
    }
  });
  return { rows, count, tokens, scored: Uint32Array.from(scoredRows) };
}
