/**
 * The language-model head: hidden states -> logits -> token statistics, over chunks of rows, so that the matrix [tokens, vocabulary] never exists whole. Sampling
 * and training call the same three functions on the same pipelines, so their log-probs are the same bits.
 */
import { gatherRows } from "../../kernels/gather";
import { rmsNorm, wholeRows } from "../../kernels/rms_norm";
import { type LogitsShape, tokenLogProb } from "../../kernels/sampling";
import { type BufferView, subview } from "../gpu/buffers";
import type { Model } from "./model";
import { project } from "./projection";

/** Threshold below every logit: nothing is cut. */
export const KEEP_ALL = -3.4e38;

/** Bytes of one token's statistics: log-prob, log-sum-exp, entropy, id. */
export const STATISTICS_BYTES = 16;

/** Buffers of the head for up to `capacity` scored rows, of which `chunkRows` have logits at one time. */
export class HeadWorkspace {
  /** Elements from one row of logits to the next: the vocabulary rounded up to 4. */
  readonly stride: number;
  /** A multiple of 64, so that every per-row buffer can be cut at a chunk. */
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
    const fitting = Math.max(64, Math.floor(limit / (this.stride * 4 * 64)) * 64);
    this.chunkRows = Math.min(fitting, Math.ceil(capacity / 64) * 64);
    const allocate = (name: string, bytes: number) => gpu.allocator.storage(`${label} (${name})`, bytes);
    this.rowIndex = allocate("row index", capacity * 4);
    this.entries = allocate("entries", capacity * 16);
    this.thresholds = allocate("thresholds", capacity * 4);
    this.statistics = allocate("statistics", capacity * STATISTICS_BYTES);
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
    const rowIndex = subview(this.rowIndex, begin * 4, this.rowIndex.size - begin * 4);
    gatherRows(gpu, { rowIndex, x: hiddenStates, y: this.hidden }, { count, width: config.hiddenSize });
    rmsNorm(
      gpu,
      { x: this.hidden, gain: weights.vector(layout.finalNorm), y: this.normed, rstd: this.rstd },
      wholeRows(count, config.hiddenSize),
      config.rmsNormEpsilon,
    );
    project(gpu, weights, layout.head, { x: this.normed, y: this.logits }, count, this.stride);
  }

  /** Statistics of entries `begin .. begin + count`, whose logits rows are in the current chunk. */
  score(slotTokens: BufferView, slotLength: number, begin: number, count: number, temperature: number): void {
    tokenLogProb(
      this.model.gpu,
      {
        logits: this.logits,
        entries: subview(this.entries, begin * 16, count * 16),
        slotTokens,
        thresholds: subview(this.thresholds, begin * 4, count * 4),
        statistics: subview(this.statistics, begin * STATISTICS_BYTES, count * STATISTICS_BYTES),
      },
      this.shape(count, slotLength),
      temperature,
    );
  }

  shape(entries: number, slotLength: number): LogitsShape {
    return { entries, vocabulary: this.model.vocabulary, stride: this.stride, slotLength };
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
