/** The layers of a model over micro-batches of whole sequences, forward: row lists, KV pages and activations. What stands on the last hidden states is a head's. */
import type { BufferView } from "../gpu/buffers";
import { Activations, type Retention } from "./activations";
import type { Model } from "./model";
import { type SequenceRows, type TrainingSequence, uploadSequences } from "./sequence-upload";
import { SequenceTables } from "./sequences";

/** Most that a micro-batch may hold. */
export interface TrunkShape {
  /** Most rows (tokens without each sequence's last) of a micro-batch. */
  readonly rows: number;
  /** Most sequences of a micro-batch. */
  readonly sequences: number;
  /** Most tokens of a sequence. */
  readonly sequenceLength: number;
  readonly pageSize: number;
}

/** Buffers for micro-batches of a shape. */
export class Trunk {
  readonly tables: SequenceTables;
  readonly activations: Activations;
  /** [rows, 4], see {@link Model.forward}. */
  readonly rows: BufferView;

  /** @param retention what of the forward pass is kept for a backward pass */
  constructor(
    private readonly model: Model,
    readonly shape: TrunkShape,
    retention: Retention,
    label: string,
  ) {
    const { gpu, config } = model;
    const pages = shape.sequences + Math.ceil((shape.rows + shape.sequences) / shape.pageSize);
    this.tables = new SequenceTables(
      gpu,
      config,
      { slots: shape.sequences, slotLength: shape.sequenceLength, pageSize: shape.pageSize, pages },
      label,
    );
    this.activations = new Activations(gpu, config, shape.rows, retention, model.adapterRank);
    this.rows = gpu.allocator.storage(`${label} (rows)`, shape.rows * 16);
  }

  /** The last hidden states [rows, hidden]. */
  get output(): BufferView {
    const output = this.activations.inputs[this.model.config.layerCount];
    if (output === undefined) throw new Error("the model has no output");
    return output;
  }

  /** Whether a micro-batch of these sequences fits the buffers. */
  fits(sequences: number, rows: number): boolean {
    return sequences <= this.shape.sequences && rows <= this.shape.rows;
  }

  /**
   * Uploads the sequences and records their forward pass.
   * @throws RangeError when they do not fit; see {@link fits}
   */
  forward(sequences: readonly TrainingSequence[]): SequenceRows {
    const rows = uploadSequences(this.model.gpu, this, sequences);
    this.model.forward(this.tables, this.activations, this.rows, rows.count);
    return rows;
  }

  destroy(): void {
    this.tables.destroy();
    this.activations.destroy();
    this.model.gpu.allocator.destroy(this.rows);
  }
}
