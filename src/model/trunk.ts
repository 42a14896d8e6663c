/** The layers of a model over micro-batches of whole sequences, forward: row lists, KV pages and activations. What stands on the last hidden states is a head's. */
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import { Activations, type Retention } from "./activations";
import type { ModelConfig } from "./config";
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

/** What the buffers' sizes depend on. */
const SIZES = [
  "hiddenSize",
  "intermediateSize",
  "layerCount",
  "headCount",
  "kvHeadCount",
  "headDim",
  "qkNorm",
] as const;

/** Buffers for micro-batches of a shape, for the model that they are made for and others of the same sizes. */
export class Trunk {
  readonly tables: SequenceTables;
  readonly activations: Activations;
  /** [rows, 4], see {@link Model.forward}. */
  readonly rows: BufferView;
  readonly #gpu: GpuContext;
  readonly #config: ModelConfig;
  /** The rows whose activations are in the buffers. */
  #latest: SequenceRows | undefined;

  /** @param retention what of the forward pass is kept for a backward pass */
  constructor(
    model: Model,
    readonly shape: TrunkShape,
    retention: Retention,
    label: string,
  ) {
    const { gpu, config, labelPrefix } = model;
    this.#gpu = gpu;
    this.#config = config;
    const pages = shape.sequences + Math.ceil((shape.rows + shape.sequences) / shape.pageSize);
    this.tables = new SequenceTables(
      gpu,
      config,
      { slots: shape.sequences, slotLength: shape.sequenceLength, pageSize: shape.pageSize, pages },
      `${labelPrefix}${label}`,
    );
    this.activations = new Activations(gpu, config, shape.rows, retention, model.adapterRank, labelPrefix);
    this.rows = gpu.allocator.storage(`${labelPrefix}${label} (rows)`, shape.rows * 16);
  }

  /** The last hidden states [rows, hidden]. */
  get output(): BufferView {
    const output = this.activations.inputs[this.#config.layerCount];
    if (output === undefined) throw new Error("the model has no output");
    return output;
  }

  /** Whether a micro-batch of these sequences fits the buffers. */
  fits(sequences: number, rows: number): boolean {
    return sequences <= this.shape.sequences && rows <= this.shape.rows;
  }

  /**
   * Uploads the sequences and records their forward pass through `model`.
   * @throws RangeError when they do not fit; see {@link fits}
   */
  forward(model: Model, sequences: readonly TrainingSequence[]): SequenceRows {
    const rows = uploadSequences(this.#gpu, this, sequences);
    model.forward(this.tables, this.activations, this.rows, rows.count);
    this.#latest = rows;
    return rows;
  }

  /** @throws Error when a later forward pass has overwritten what the one that returned `rows` kept: a mistake of ours */
  requireLatest(rows: SequenceRows): void {
    if (this.#latest !== rows) throw new Error("another forward pass came before this backward pass");
  }

  /** @throws Error when the buffers do not fit such a model: a mistake of ours */
  requireSizesOf(config: ModelConfig): void {
    const other = SIZES.find((size) => config[size] !== this.#config[size]);
    if (other !== undefined)
      throw new Error(`${other} is ${config[other]}, but the buffers are for ${this.#config[other]}`);
  }

  destroy(): void {
    this.tables.destroy();
    this.activations.destroy();
    this.#gpu.allocator.destroy(this.rows);
  }
}
