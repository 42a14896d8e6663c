/** Runs the model row by row, as a decoder does, and reads back what it computes. */
import { Activations } from "../../../src/model/activations";
import { Head, KEEP_ALL, STATISTICS_BYTES } from "../../../src/model/head";
import type { Model } from "../../../src/model/model";
import { RowTable } from "../../../src/model/row-table";
import { SequenceTables } from "../../../src/model/sequences";
import { trunkForward } from "../../../src/model/trunk";

export interface Row {
  readonly slot: number;
  readonly position: number;
}

/** Slots, KV pages and a head for batches of up to `maxRows` rows. */
export class RowRunner {
  readonly tables: SequenceTables;
  readonly head: Head;
  private readonly activations: Activations;
  private readonly rows: RowTable;

  /** @param pages page table of each slot; the pages must be distinct */
  constructor(
    private readonly model: Model,
    readonly maxRows: number,
    shape: { slotLength: number; pageSize: number },
    pages: readonly Uint32Array[],
  ) {
    const { gpu, config } = model;
    const pageCount = Math.max(...pages.flatMap((list) => [...list])) + 1;
    this.tables = new SequenceTables(gpu, config, { ...shape, slots: pages.length, pages: pageCount }, "test");
    this.activations = new Activations(gpu, config, maxRows, "nothing", model.adapterRank);
    this.head = new Head(model, maxRows, 2 ** 24, "test head");
    this.rows = new RowTable(gpu, maxRows, "test");
    pages.forEach((list, slot) => {
      this.tables.setPages(slot, list);
    });
    gpu.write(this.head.thresholds, new Float32Array(maxRows).fill(KEEP_ALL));
  }

  /** Last hidden state [hidden] of each row. The rows' keys and values stay in their pages. */
  async hidden(rows: readonly Row[]): Promise<Float32Array[]> {
    this.record(rows);
    const width = this.model.config.hiddenSize;
    const all = await this.model.gpu.readback.readFloats(this.activations.output, rows.length * width);
    return rows.map((_, index) => all.slice(index * width, (index + 1) * width));
  }

  /** Logits [vocabulary] of the token after each row. */
  async logits(rows: readonly Row[]): Promise<Float32Array[]> {
    this.record(rows);
    this.recordLogits(rows.length);
    const { stride } = this.head;
    const all = await this.model.gpu.readback.readFloats(this.head.logits, rows.length * stride);
    return rows.map((_, index) => all.slice(index * stride, index * stride + this.model.config.vocabularySize));
  }

  /** Log-prob of the slot's token after each row. */
  async logprobs(rows: readonly Row[], temperature: number): Promise<number[]> {
    const { gpu } = this.model;
    this.record(rows);
    gpu.write(
      this.head.entries,
      Uint32Array.from(rows.flatMap(({ slot, position }, index) => [index, slot, position + 1, 0])),
    );
    this.recordLogits(rows.length);
    this.head.score(this.tables.slotTokens, this.tables.shape.slotLength, 0, rows.length, temperature);
    const words = STATISTICS_BYTES / 4;
    const statistics = await gpu.readback.readFloats(this.head.statistics, rows.length * words);
    return rows.map((_, index) => statistics[index * words] ?? Number.NaN);
  }

  destroy(): void {
    this.tables.destroy();
    this.head.destroy();
    this.activations.destroy();
    this.rows.destroy();
  }

  private record(rows: readonly Row[]): void {
    const batch = this.rows.write(Uint32Array.from(rows.flatMap(({ slot, position }) => [slot, position, 0, 0])));
    trunkForward(this.model, this.tables, this.activations, batch);
  }

  private recordLogits(count: number): void {
    const { gpu } = this.model;
    gpu.write(
      this.head.rowIndex,
      Uint32Array.from({ length: count }, (_, index) => index),
    );
    this.head.logitsOf(this.activations.output, 0, count);
  }
}
