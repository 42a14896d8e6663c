/**
 * Sequences as a forward pass sees them: on the GPU the slots' token ids, page tables and KV pages of all layers; and
 * the packed rows of whole sequences. Prefill, decode and training address tokens by rows (slot, position) in the same
 * tables. (A trajectory that is being sampled is in `src/rollout/decoding-sequence.ts`.)
 */
import { KV_TILE } from "../../kernels/attention";
import type { PageShape } from "../../kernels/rope";
import { at, must } from "../base/must";
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

  /**
   * Writes whole sequences, one a slot, from the first page on: a shared prefix into the pages of its leader, all else
   * into pages of its own.
   */
  setSequences(sequences: readonly TrainingSequence[], prefixes: readonly SharedPrefix[]): void {
    const { pageSize } = this.shape;
    const tables: Uint32Array[] = [];
    let page = 0;
    sequences.forEach(({ ids }, slot) => {
      this.setTokens(slot, 0, ids);
      const { leader, rows } = at(prefixes, slot);
      // The last token has no row, so neither a key nor a value.
      const count = Math.ceil((ids.length - 1) / pageSize);
      const shared = leader === slot ? [] : at(tables, leader).subarray(0, rows / pageSize);
      const pages = Uint32Array.from({ length: count }, (_, i) => shared[i] ?? page++);
      tables.push(pages);
      this.setPages(slot, pages);
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

/**
 * A prompt that several sequences begin with is computed once, as while sampling: its rows are those of the first of
 * them, the leader, and the others see its keys and values through their page tables.
 */
export interface SharedPrefix {
  /** Index of the sequence whose rows these are; its own where nothing is shared. */
  readonly leader: number;
  /** Rows shared with the leader, whole pages; of a leader, with the others. */
  readonly rows: number;
}

/**
 * Which sequences share how much of their beginning with one before them: neighbours whose first tokens are equal, up
 * to the last whole page before a row that predicts a scored token.
 */
export function sharedPrefixes(sequences: readonly ContinuedSequence[], pageSize: number): SharedPrefix[] {
  const prefixes: SharedPrefix[] = [];
  let leader = -1;
  sequences.forEach((sequence, index) => {
    const group = prefixes[leader];
    const common = group === undefined ? 0 : commonRows(at(sequences, leader), sequence);
    const whole = common - (common % pageSize);
    // The second of a group decides; who shares less leads another.
    const isSecond = group !== undefined && leader === index - 1;
    const rows = isSecond ? whole : whole >= (group?.rows ?? 0) ? (group?.rows ?? 0) : 0;
    if (rows === 0) {
      leader = index;
      prefixes.push({ leader, rows: 0 });
      return;
    }
    if (isSecond) prefixes[leader] = { leader, rows };
    prefixes.push({ leader, rows });
  });
  return prefixes;
}

/** Rows at the beginning of both sequences that hold the same token and predict no scored one. */
function commonRows(first: ContinuedSequence, second: ContinuedSequence): number {
  if ((first.from ?? 0) > 0 || (second.from ?? 0) > 0) return 0;
  const end = Math.min(first.ids.length, second.ids.length) - 1;
  let row = 0;
  while (row < end && first.ids[row] === second.ids[row] && !first.scored[row + 1] && !second.scored[row + 1]) row++;
  return row;
}

/** The rows of a micro-batch, and which of them predict a scored token. */
export interface SequenceRows {
  /** [count, 4]: slot, position, end of the rows that may see it, 0. */
  readonly rows: Uint32Array;
  readonly count: number;
  /** [count]: the token of every row. */
  readonly tokens: Uint32Array;
  /** The row before each scored token, sequence after sequence, positions ascending. */
  readonly scored: Uint32Array;
}

/**
 * One row for each token but a sequence's last, which predicts nothing, and but those that its leader has; sequence s
 * is in slot s. The rows of a shared prefix are seen up to the last sequence that shares it.
 */
export function rowsOf(sequences: readonly ContinuedSequence[], prefixes: readonly SharedPrefix[]): SequenceRows {
  const begins = sequences.map(({ from = 0 }, slot) => {
    const { leader, rows } = at(prefixes, slot);
    return leader === slot ? from : rows;
  });
  const count = sequences.reduce((sum, { ids }, slot) => sum + ids.length - 1 - at(begins, slot), 0);
  const rows = new Uint32Array(count * 4);
  const tokens = new Uint32Array(count);
  const scoredRows: number[] = [];
  const leaderBegins = new Map<number, number>();
  let row = 0;
  sequences.forEach(({ ids, scored }, slot) => {
    const begin = at(begins, slot);
    const end = row + ids.length - 1 - begin;
    const { leader, rows: shared } = at(prefixes, slot);
    if (leader === slot) leaderBegins.set(slot, row);
    else {
      const first = must(leaderBegins.get(leader), "the rows of a shared prefix");
      for (let prefix = first; prefix < first + shared; prefix++) rows[prefix * 4 + 2] = end;
    }
    tokens.set(ids.subarray(begin, ids.length - 1), row);
    for (let position = begin; position < ids.length - 1; position++, row++) {
      rows.set([slot, position, end, 0], row * 4);
      if (scored[position + 1]) scoredRows.push(row);
    }
  });
  return { rows, count, tokens, scored: Uint32Array.from(scoredRows) };
}
