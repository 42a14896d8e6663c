/**
 * The language-model head, forward and backward: hidden states -> logits -> token statistics, over chunks of rows, so
 * that the matrix [tokens, vocabulary] never exists whole. Sampling and training call the same three functions, whose
 * variants sum in the same order, so their log-probs are the same bits.
 */
import { type LogitsShape, logitsGradient, type SamplingSettings, sample, tokenLogProb } from "../../kernels/sampling";
import { UserError } from "../base/errors";
import { at } from "../base/must";
import type { BufferView } from "../gpu/buffers";
import { aligned, type Chunk, chunksOf, ROW_ALIGNMENT, viewFrom } from "./chunks";
import { FinalNorm, FinalNormBackward } from "./final-norm";
import type { Model } from "./model";
import { type GradientTargets, project, projectBackward } from "./projection";
import type { Parameter } from "./segments";
import type { SequenceRows } from "./sequences";

/** Threshold below every logit: nothing is cut. */
export const KEEP_ALL = -3.4e38;

/**
 * Bytes of one token's statistics, four f32: log-prob, log-sum-exp, entropy, and the id, which {@link tokenOf} reads.
 */
export const STATISTICS_BYTES = 16;

/**
 * The token id in the fourth statistic. The kernel adds 1/2 where the token is the most probable one, so that four
 * words hold five figures (`isGreedy` of kernels/sampling.ts reads the half): what is after the point is not the id.
 */
export function tokenOf(idStatistic: number): number {
  return Math.trunc(idStatistic);
}

const ENTRY_BYTES = 16;

/**
 * Forward pass of the head for up to `capacity` scored rows, of which `chunkRows` have logits at one time: its buffers.
 */
export class Head {
  /** Elements from one row of logits to the next: the vocabulary rounded up to 4. */
  readonly stride: number;
  /** The matrix [vocabulary, hidden]. */
  readonly matrix: Parameter;
  readonly norm: FinalNorm;
  readonly entries: BufferView;
  readonly thresholds: BufferView;
  readonly statistics: BufferView;
  readonly logits: BufferView;
  readonly #model: Model;

  /**
   * @param capacity most scored rows
   * @param logitsBytes most bytes for one chunk's logits
   * @throws UserError when the model is a critic
   */
  constructor(
    model: Model,
    readonly capacity: number,
    logitsBytes: number,
    label: string,
  ) {
    this.#model = model;
    const { gpu, config, layout, labelPrefix } = model;
    if (layout.head === undefined)
      throw new UserError("the model is a critic, which gives values and no log-probs; expected a language model");
    this.matrix = layout.head;
    this.stride = Math.ceil(config.vocabularySize / 4) * 4;
    const limit = Math.min(logitsBytes, gpu.profile.limits.maxStorageBufferBindingSize);
    const fitting = Math.max(ROW_ALIGNMENT, aligned(Math.floor(limit / (this.stride * 4)) - ROW_ALIGNMENT + 1));
    const chunkRows = Math.min(fitting, aligned(Math.max(1, capacity)));
    this.norm = new FinalNorm(model, capacity, chunkRows, `${labelPrefix}${label}`);
    // Each chunk's entries begin at a multiple of the alignment, which leaves gaps when rows are sampled more than
    // once.
    const entries = aligned(capacity) + ROW_ALIGNMENT * Math.ceil(capacity / chunkRows);
    const allocate = (name: string, bytes: number) => gpu.allocator.storage(`${labelPrefix}${label} (${name})`, bytes);
    this.entries = allocate("entries", entries * ENTRY_BYTES);
    this.thresholds = allocate("thresholds", entries * 4);
    this.statistics = allocate("statistics", entries * STATISTICS_BYTES);
    this.logits = allocate("logits", chunkRows * this.stride * 4);
  }

  /** A multiple of {@link ROW_ALIGNMENT}. */
  get chunkRows(): number {
    return this.norm.chunkRows;
  }

  /** Which rows of the hidden states have logits. */
  get rowIndex(): BufferView {
    return this.norm.rowIndex;
  }

  /** Chunks of `count` scored rows, each of which has its logits at one time. */
  chunks(count: number): Generator<Chunk> {
    return chunksOf(count, this.chunkRows);
  }

  /** Gathers rows `begin ..` of the row index out of `hiddenStates`, normalises them and computes their logits. */
  logitsOf(hiddenStates: BufferView, begin: number, count: number): void {
    this.norm.forward(hiddenStates, { begin, count });
    project(this.#model, this.matrix, { x: this.norm.normed, y: this.logits }, count, this.stride);
  }

  /** Uploads which rows are scored, and the entry of the token that each one predicts. */
  writeScored({ rows, scored }: SequenceRows): void {
    const entries = new Uint32Array(scored.length * 4);
    scored.forEach((row, place) => {
      entries.set([place % this.chunkRows, at(rows, row * 4), at(rows, row * 4 + 1) + 1, 0], place * 4);
    });
    this.#model.gpu.write(this.rowIndex, scored);
    this.writeEntries(0, entries);
  }

  /**
   * Uploads entries [logits row in its chunk, slot, position of the token, trajectory id] from place `begin` on, a
   * multiple of {@link ROW_ALIGNMENT}.
   */
  writeEntries(begin: number, entries: Uint32Array): void {
    this.#model.gpu.write(this.entries, entries, begin * ENTRY_BYTES);
  }

  /** Draws the tokens of entries `begin .. begin + count`, whose logits rows are in the current chunk. */
  draw(slotTokens: BufferView, slotLength: number, begin: number, count: number, settings: SamplingSettings): void {
    const views = { logits: this.logits, slotTokens, ...this.#entryViews(begin) };
    sample(this.#model.gpu, views, this.shape(count, slotLength), settings);
  }

  /** Statistics of entries `begin .. begin + count`, whose logits rows are in the current chunk. */
  score(slotTokens: BufferView, slotLength: number, begin: number, count: number, temperature: number): void {
    const statistics = viewFrom(this.statistics, begin * STATISTICS_BYTES);
    const views = { logits: this.logits, slotTokens, ...this.#entryViews(begin), statistics };
    tokenLogProb(this.#model.gpu, views, this.shape(count, slotLength), temperature);
  }

  shape(entries: number, slotLength: number): LogitsShape {
    return { entries, vocabulary: this.#model.vocabulary, stride: this.stride, slotLength };
  }

  destroy(): void {
    this.norm.destroy();
    for (const view of [this.entries, this.thresholds, this.statistics, this.logits])
      this.#model.gpu.allocator.destroy(view);
  }

  #entryViews(begin: number): { entries: BufferView; thresholds: BufferView } {
    return { entries: viewFrom(this.entries, begin * ENTRY_BYTES), thresholds: viewFrom(this.thresholds, begin * 4) };
  }
}

/** A forward pass of the head, as its backward pass needs to know it. */
export interface ScoredRows {
  readonly rows: SequenceRows;
  readonly temperature: number;
  /** First row of the chunk whose logits are still in the head's buffer. */
  readonly lastChunk: number;
}

/** Backward pass of a {@link Head} of a training pass: its buffers. */
export class HeadBackward {
  readonly #model: Model;
  readonly #head: Head;
  readonly #norm: FinalNormBackward;
  readonly #coefficients: BufferView;
  readonly #entropyCoefficients: BufferView;

  constructor(model: Model, head: Head, label: string) {
    const { gpu, labelPrefix } = model;
    this.#model = model;
    this.#head = head;
    this.#norm = new FinalNormBackward(model, head.norm, `${labelPrefix}${label}`);
    const allocate = (name: string) => gpu.allocator.storage(`${labelPrefix}${label} (${name})`, head.capacity * 4);
    this.#coefficients = allocate("coefficients");
    this.#entropyCoefficients = allocate("entropy coefficients");
  }

  /**
   * Uploads one coefficient, and one of the entropy if given, for each scored token: d loss / d log-prob and d loss / d
   * entropy.
   */
  writeCoefficients(coefficients: Float32Array, entropyCoefficients: Float32Array | undefined): void {
    const { gpu } = this.#model;
    gpu.write(this.#coefficients, coefficients);
    if (entropyCoefficients !== undefined) gpu.write(this.#entropyCoefficients, entropyCoefficients);
  }

  /**
   * From the coefficients to the gradients of the matrix and of the final norm, and to that of the scored rows of the
   * hidden states.
   * @param hiddenStates what the forward pass has scored
   * @param partials workspace of column sums
   * @param doutput gradient of the hidden states; its scored rows are overwritten
   */
  backward(
    targets: GradientTargets,
    { rows, temperature, lastChunk }: ScoredRows,
    views: { hiddenStates: BufferView; partials: BufferView; doutput: BufferView },
    slotLength: number,
    withEntropy: boolean,
  ): void {
    const model = this.#model;
    const head = this.#head;
    let current = lastChunk;
    // The last chunk's logits are still there, so it goes first; the others are computed again.
    for (const chunk of [...head.chunks(rows.scored.length)].reverse()) {
      if (chunk.begin !== current) head.logitsOf(views.hiddenStates, chunk.begin, chunk.count);
      current = -1;
      logitsGradient(
        model.gpu,
        {
          statistics: viewFrom(head.statistics, chunk.begin * STATISTICS_BYTES),
          coefficients: viewFrom(this.#coefficients, chunk.begin * 4),
          ...(withEntropy && { entropyCoefficients: viewFrom(this.#entropyCoefficients, chunk.begin * 4) }),
          logits: head.logits,
        },
        head.shape(chunk.count, slotLength),
        temperature,
      );
      const { dnormed } = this.#norm;
      const through = { x: head.norm.normed, dy: head.logits, dx: dnormed };
      projectBackward(model, targets, head.matrix, through, chunk.count, head.stride);
      this.#norm.backward(targets, chunk, views.partials, views.doutput);
    }
  }

  destroy(): void {
    this.#norm.destroy();
    for (const view of [this.#coefficients, this.#entropyCoefficients]) this.#model.gpu.allocator.destroy(view);
  }
}
