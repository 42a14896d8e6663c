/**
 * The language-model head: hidden states -> logits -> token statistics, over chunks of rows, so that the matrix [tokens, vocabulary] never exists whole. Sampling
 * and training call the same three functions on the same pipelines, so their log-probs are the same bits.
 */
import { gatherRows } from "../../kernels/gather";
import { rmsNorm, wholeRows } from "../../kernels/rms_norm";
import { type LogitsShape, type SamplingSettings, sample, tokenLogProb } from "../../kernels/sampling";
import { type BufferView, subview } from "../gpu/buffers";
import type { Model } from "./model";
import { project } from "./projection";
import type { SequenceRows } from "./sequence-upload";

/** Threshold below every logit: nothing is cut. */
export const KEEP_ALL = -3.4e38;

/** Chunks begin at multiples of this many rows, so that every per-row buffer can be cut there (256 bytes of one f32 each). */
export const ROW_ALIGNMENT = 64;

/** Bytes of one token's statistics: log-prob, log-sum-exp, entropy, id. */
export const STATISTICS_BYTES = 16;

const ENTRY_BYTES = 16;

/** Buffers of the head for up to `capacity` scored rows, of which `chunkRows` have logits at one time. */
export class HeadWorkspace {
  /** Elements from one row of logits to the next: the vocabulary rounded up to 4. */
  readonly stride: number;
  /** A multiple of {@link ROW_ALIGNMENT}. */
  readonly chunkRows: number;
  readonly rowIndex: BufferView;
  readonly entries: BufferView;
  readonly thresholds: BufferView;
  readonly statistics: BufferView;
  readonly hidden: BufferView;
  readonly normed: BufferView;
  readonly rstd: BufferView;
  readonly logits: BufferView;

  /**
   * @param capacity most scored rows
   * @param logitsBytes most bytes for one chunk's logits
   */
  constructor(
    private readonly model: Model,
    readonly capacity: number,
    logitsBytes: number,
    label: string,
  ) {
    const { gpu, config } = model;
    this.stride = Math.ceil(config.vocabularySize / 4) * 4;
    const limit = Math.min(logitsBytes, gpu.profile.limits.maxStorageBufferBindingSize);
    const fitting = Math.max(ROW_ALIGNMENT, aligned(Math.floor(limit / (this.stride * 4)) - ROW_ALIGNMENT + 1));
    this.chunkRows = Math.min(fitting, aligned(Math.max(1, capacity)));
    // Each chunk's entries begin at a multiple of the alignment, which leaves gaps when rows are sampled more than once.
    const entries = aligned(capacity) + ROW_ALIGNMENT * Math.ceil(capacity / this.chunkRows);
    const allocate = (name: string, bytes: number) => gpu.allocator.storage(`${label} (${name})`, bytes);
    this.rowIndex = allocate("row index", capacity * 4);
    this.entries = allocate("entries", entries * ENTRY_BYTES);
    this.thresholds = allocate("thresholds", entries * 4);
    this.statistics = allocate("statistics", entries * STATISTICS_BYTES);
    this.hidden = allocate("hidden", this.chunkRows * config.hiddenSize * 4);
    this.normed = allocate("normed", this.chunkRows * config.hiddenSize * 4);
    this.rstd = allocate("rstd", this.chunkRows * 4);
    this.logits = allocate("logits", this.chunkRows * this.stride * 4);
  }

  /** First row and size of each chunk of `count` rows. */
  *chunks(count: number): Generator<{ begin: number; count: number }> {
    for (let begin = 0; begin < count; begin += this.chunkRows)
      yield { begin, count: Math.min(this.chunkRows, count - begin) };
  }

  /** Gathers rows `begin ..` of the row index out of `hiddenStates`, normalises them and computes their logits. */
  logitsOf(hiddenStates: BufferView, begin: number, count: number): void {
    const { gpu, config, weights, layout } = this.model;
    const rowIndex = from(this.rowIndex, begin * 4);
    gatherRows(gpu, { rowIndex, x: hiddenStates, y: this.hidden }, { count, width: config.hiddenSize });
    rmsNorm(
      gpu,
      { x: this.hidden, gain: weights.vector(layout.finalNorm), y: this.normed, rstd: this.rstd },
      wholeRows(count, config.hiddenSize),
      config.rmsNormEpsilon,
    );
    project(this.model, layout.head, { x: this.normed, y: this.logits }, count, this.stride);
  }

  /** Uploads which rows are scored, and the entry of the token that each one predicts. */
  writeScored({ rows, scored }: SequenceRows): void {
    const entries = new Uint32Array(scored.length * 4);
    scored.forEach((row, place) => {
      const [slot = 0, position = 0] = rows.subarray(row * 4);
      entries.set([place % this.chunkRows, slot, position + 1, 0], place * 4);
    });
    this.model.gpu.write(this.rowIndex, scored);
    this.writeEntries(0, entries);
  }

  /** Uploads entries [logits row in its chunk, slot, position of the token, trajectory id] from place `begin` on, a multiple of {@link ROW_ALIGNMENT}. */
  writeEntries(begin: number, entries: Uint32Array): void {
    this.model.gpu.write(this.entries, entries, begin * ENTRY_BYTES);
  }

  /** Draws the tokens of entries `begin .. begin + count`, whose logits rows are in the current chunk. */
  draw(slotTokens: BufferView, slotLength: number, begin: number, count: number, settings: SamplingSettings): void {
    const views = { logits: this.logits, slotTokens, ...this.entryViews(begin) };
    sample(this.model.gpu, views, this.shape(count, slotLength), settings);
  }

  /** Statistics of entries `begin .. begin + count`, whose logits rows are in the current chunk. */
  score(slotTokens: BufferView, slotLength: number, begin: number, count: number, temperature: number): void {
    const statistics = from(this.statistics, begin * STATISTICS_BYTES);
    const views = { logits: this.logits, slotTokens, ...this.entryViews(begin), statistics };
    tokenLogProb(this.model.gpu, views, this.shape(count, slotLength), temperature);
  }

  shape(entries: number, slotLength: number): LogitsShape {
    return { entries, vocabulary: this.model.vocabulary, stride: this.stride, slotLength };
  }

  private entryViews(begin: number): { entries: BufferView; thresholds: BufferView } {
    return { entries: from(this.entries, begin * ENTRY_BYTES), thresholds: from(this.thresholds, begin * 4) };
  }

  destroy(): void {
    for (const view of [
      this.rowIndex,
      this.entries,
      this.thresholds,
      this.statistics,
      this.hidden,
      this.normed,
      this.rstd,
      this.logits,
    ])
      this.model.gpu.allocator.destroy(view);
  }
}

/** `view` from a byte offset to its end: one bind group per chunk, whatever the number of rows. */
export function from(view: BufferView, offset: number): BufferView {
  return offset === 0 ? view : subview(view, offset, view.size - offset);
}

function aligned(rows: number): number {
  return Math.ceil(rows / ROW_ALIGNMENT) * ROW_ALIGNMENT;
}
