/**
 * The decoder: batches of rows through the model, a token drawn for each sampled row. Its interface, as the scheduler
 * sees it, and the one on the GPU.
 */
import { kvCopy } from "../../kernels/kv_copy";
import type { SamplingSettings } from "../../kernels/sampling";
import { UserError } from "../base/errors";
import { at, must } from "../base/must";
import type { BufferView } from "../gpu/buffers";
import { Activations } from "../model/activations";
import { aligned } from "../model/chunks";
import { Head, STATISTICS_BYTES, tokenOf } from "../model/head";
import type { Model } from "../model/model";
import { RowTable } from "../model/row-table";
import { SequenceTables } from "../model/sequences";
import { trunkForward } from "../model/trunk";

/**
 * One batch of rows for the model. All rows run in one forward pass; rows of one slot appear in ascending position
 * order.
 */
export interface RowBatch {
  /** [rows] Slot of each row. */
  slots: Uint32Array;
  /** [rows] The token at (slot, position) is computed; its K/V go to the slot's page. */
  positions: Uint32Array;
  /** [samples] Index into rows whose next-token distribution is sampled; one row may be sampled several times. */
  sampleRows: Uint32Array;
  /** [samples] Slot that gets the sampled token, at position+1 of the row. */
  sampleSlots: Uint32Array;
  /** [samples] Random key of each sample; the draw depends on (seed, trajectoryId, position+1) only. */
  trajectoryIds: Uint32Array;
}

/** [samples] Sampled ids and their log-probs under the distribution that was sampled, in the order of `sampleRows`. */
export interface SampledTokens {
  tokens: Uint32Array;
  logprobs: Float32Array;
}

/**
 * The model as the scheduler sees it. Calls take effect in the order in which they are made: an `enqueue` sees every
 * `setTokens`, `setPages` and `copyPages` before it and none after it, whether or not its promise has settled.
 */
export interface Decoder {
  readonly slotCount: number;
  /** Tokens per KV page. */
  readonly pageSize: number;
  readonly pageCount: number;
  /** Most rows one batch may have. */
  readonly maxRows: number;
  /** Most tokens one slot may hold, prompt included. */
  readonly maxLength: number;
  /** Prompt, observation: written before the batch that computes them. */
  setTokens(slot: number, position: number, ids: Uint32Array): void;
  /** Whole page table of the slot. */
  setPages(slot: number, pages: Uint32Array): void;
  /** Copies K/V of whole pages in every layer. */
  copyPages(from: Uint32Array, to: Uint32Array): void;
  /** Ordered; a later batch may use a sampled token of an earlier one without waiting for its promise. */
  enqueue(batch: RowBatch): Promise<SampledTokens>;
}

/** Sizes of a decoder's buffers. */
export interface GpuDecoderShape {
  readonly slots: number;
  /** Most tokens of a slot, prompt and observations included. */
  readonly maxLength: number;
  readonly pageSize: number;
  readonly pages: number;
  /** Most rows of one batch; at least the number of slots. */
  readonly maxRows: number;
  readonly logitsBytes: number;
}

/**
 * The decoder on the GPU: one forward pass and one draw per batch, in one submit, with the tokens read back behind. The
 * draw of a token depends on (settings.seed, trajectory id, position) only.
 */
export class GpuDecoder implements Decoder {
  readonly slotCount: number;
  readonly pageSize: number;
  readonly pageCount: number;
  readonly maxRows: number;
  readonly maxLength: number;
  readonly #tables: SequenceTables;
  readonly #activations: Activations;
  readonly #head: Head;
  readonly #rows: RowTable;
  readonly #fromPages: BufferView;
  readonly #toPages: BufferView;
  readonly #model: Model;
  readonly #shape: GpuDecoderShape;
  #settings: SamplingSettings;

  constructor(model: Model, shape: GpuDecoderShape, settings: SamplingSettings) {
    this.#model = model;
    this.#shape = shape;
    this.#settings = settings;
    const { gpu, config } = model;
    if (shape.maxLength > model.maxPositions)
      throw new UserError(
        `sequences of ${shape.maxLength} tokens were asked for, the model was loaded for ${model.maxPositions}: lower --max-prompt-length or --max-completion-length`,
      );
    this.slotCount = shape.slots;
    this.pageSize = shape.pageSize;
    this.pageCount = shape.pages;
    this.maxRows = shape.maxRows;
    this.maxLength = shape.maxLength;
    this.#tables = new SequenceTables(
      gpu,
      config,
      { slots: shape.slots, slotLength: shape.maxLength, pageSize: shape.pageSize, pages: shape.pages },
      "rollout",
    );
    this.#activations = new Activations(gpu, config, shape.maxRows, "nothing", model.adapterRank);
    this.#head = new Head(model, shape.slots, shape.logitsBytes, "rollout head");
    this.#rows = new RowTable(gpu, shape.maxRows, "rollout");
    this.#fromPages = gpu.allocator.storage("rollout (copied pages)", shape.pages * 4);
    this.#toPages = gpu.allocator.storage("rollout (copies of pages)", shape.pages * 4);
  }

  /** Batches worth queueing ahead: where the GPU is the CPU, rows past a stop cost more than waiting does. */
  get defaultRunAhead(): number {
    return this.#model.gpu.profile.isSoftware ? 1 : 4;
  }

  /** Settings for the batches from here on. */
  sampleWith(settings: SamplingSettings): void {
    this.#settings = settings;
  }

  setTokens(slot: number, position: number, ids: Uint32Array): void {
    this.#tables.setTokens(slot, position, ids);
  }

  setPages(slot: number, pages: Uint32Array): void {
    this.#tables.setPages(slot, pages);
  }

  copyPages(from: Uint32Array, to: Uint32Array): void {
    const { gpu } = this.#model;
    gpu.write(this.#fromPages, from);
    gpu.write(this.#toPages, to);
    this.#tables.kPages.forEach((kPages, layer) => {
      kvCopy(
        gpu,
        { fromPages: this.#fromPages, toPages: this.#toPages, kPages, vPages: at(this.#tables.vPages, layer) },
        { count: from.length, pageElements: this.#tables.pageElements },
      );
    });
    // Submitted at once: the next call writes the two lists again.
    gpu.recorder.submit();
  }

  async enqueue(batch: RowBatch): Promise<SampledTokens> {
    const { gpu } = this.#model;
    const rowCount = batch.slots.length;
    const samples = batch.sampleRows.length;
    const rows = new Uint32Array(rowCount * 4);
    for (let row = 0; row < rowCount; row++) rows.set([at(batch.slots, row), at(batch.positions, row), 0, 0], row * 4);
    trunkForward(this.#model, this.#tables, this.#activations, this.#rows.write(rows));
    const { places, end } = this.#sampleRows(batch);
    const statistics = await gpu.readback.readFloats(this.#head.statistics, (end * STATISTICS_BYTES) / 4);
    const tokens = new Uint32Array(samples);
    const logprobs = new Float32Array(samples);
    for (let i = 0; i < samples; i++) {
      const place = at(places, i) * (STATISTICS_BYTES / 4);
      logprobs[i] = at(statistics, place);
      tokens[i] = tokenOf(at(statistics, place + 3));
    }
    if (tokens.some((token) => token >= this.#model.vocabulary))
      throw new UserError(
        "the model's logits are not finite, so no token can be drawn: training has diverged; go on from an earlier checkpoint with a smaller --learning-rate",
      );
    return { tokens, logprobs };
  }

  destroy(): void {
    this.#tables.destroy();
    this.#activations.destroy();
    this.#head.destroy();
    this.#rows.destroy();
    for (const view of [this.#fromPages, this.#toPages]) this.#model.gpu.allocator.destroy(view);
  }

  /**
   * Logits of the sampled rows, a token for each sample, and its statistics; in chunks where all logits at once would
   * be too large. A row that is sampled several times has one row of logits.
   * @returns the place of each sample's statistics, and the end of them all
   */
  #sampleRows(batch: RowBatch): { places: Uint32Array; end: number } {
    const head = this.#head;
    const tables = this.#tables;
    const { output } = this.#activations;
    const logitsRows = new Map<number, number>();
    for (const row of batch.sampleRows) if (!logitsRows.has(row)) logitsRows.set(row, logitsRows.size);
    this.#model.gpu.write(head.rowIndex, Uint32Array.from(logitsRows.keys()));
    const places = new Uint32Array(batch.sampleRows.length);
    let begin = 0;
    let end = 0;
    for (const chunk of head.chunks(logitsRows.size)) {
      const entries: number[] = [];
      batch.sampleRows.forEach((row, i) => {
        const logitsRow = must(logitsRows.get(row), "the logits of a sampled row") - chunk.begin;
        if (logitsRow < 0 || logitsRow >= chunk.count) return;
        places[i] = begin + entries.length / 4;
        const position = at(batch.positions, row) + 1;
        entries.push(logitsRow, at(batch.sampleSlots, i), position, at(batch.trajectoryIds, i));
      });
      const count = entries.length / 4;
      head.writeEntries(begin, Uint32Array.from(entries));
      head.logitsOf(output, chunk.begin, chunk.count);
      head.draw(tables.slotTokens, this.#shape.maxLength, begin, count, this.#settings);
      head.score(tables.slotTokens, this.#shape.maxLength, begin, count, this.#settings.temperature);
      end = begin + count;
      begin = aligned(end);
    }
    return { places, end };
  }
}
