/**
 * A model on the GPU: weights, adapter and constant tables. What is computed with them is in layer.ts, trunk.ts and
 * head.ts.
 */
import { storeHalves } from "../../kernels/store_halves";
import type { WeightStorage } from "../../kernels/weight_storage";
import { UserError } from "../base/errors";
import { at } from "../base/must";
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import { Adapter, type AdapterConfig } from "./adapter";
import type { ModelConfig } from "./config";
import type { Checkpoint, CheckpointTensor } from "./folder";
import { ParameterLayout } from "./parameters";
import { rotationTable } from "./rope";
import { ParameterValues } from "./values";

/** How a model is kept on the GPU. */
export interface ModelOptions {
  /** Most bytes of one binding; the adapter's own limit unless given. */
  readonly maxBindingBytes?: number;
  /**
   * Number of ids that exist; rows of the embedding beyond it are padding, have no probability and are never sampled.
   * All rows unless given.
   */
  readonly vocabulary?: number;
  /** How matrices lie in memory; f32 unless given. Vectors are always f32. */
  readonly storage?: WeightStorage;
  /** What will be trained: everything (default), nothing, or only an adapter of this shape. */
  readonly trained?: "everything" | "nothing" | AdapterConfig;
  /**
   * First word in the labels of the buffers of this model and of what works on it, where a run has several models:
   * "critic".
   */
  readonly label?: string;
}

/** Weights and constant tables; everything that changes while running is the caller's. */
export class Model {
  readonly layout: ParameterLayout;
  /** What the model computes with. */
  readonly weights: ParameterValues;
  readonly adapter: Adapter | undefined;
  readonly vocabulary: number;
  /** How matrices lie in memory. */
  readonly storage: WeightStorage;
  /** Stands before the labels of buffers: empty, or a word and a space. */
  readonly labelPrefix: string;
  /** f32 values of trained weights that are stored in 16 bits: small steps would be lost in these. */
  readonly #master: ParameterValues | undefined;
  #adapterOn = true;
  /** (cos, sin) per position and pair of a head. */
  readonly rotations: BufferView;

  /**
   * @param maxPositions longest sequence that will be computed
   * @throws UserError when the weights cannot be stored or trained so
   */
  constructor(
    readonly gpu: GpuContext,
    readonly config: ModelConfig,
    readonly maxPositions: number,
    options: ModelOptions = {},
  ) {
    const { storage = "f32", trained = "everything", vocabulary = config.vocabularySize } = options;
    const maxBindingBytes = options.maxBindingBytes ?? gpu.profile.limits.maxStorageBufferBindingSize;
    if (trained === "everything" && (storage === "int8" || storage === "int4"))
      throw new UserError(
        `weights stored as ${storage} cannot be trained; train an adapter with --use-peft, or use bfloat16`,
      );
    if (typeof trained === "object" && config.valueHead !== undefined)
      throw new UserError(
        "a model with a value head cannot be trained with an adapter; leave --use-peft out, or train the critic as a model of its own",
      );
    this.vocabulary = vocabulary;
    this.storage = storage;
    this.labelPrefix = options.label === undefined ? "" : `${options.label} `;
    const prefix = this.labelPrefix;
    this.layout = new ParameterLayout(config, { maxBindingBytes, storage, trained: trained === "everything" });
    this.weights = new ParameterValues(gpu, this.layout, `${prefix}weights`, "as the layout says");
    this.#master =
      trained === "everything" && storage !== "f32"
        ? new ParameterValues(gpu, this.layout, `${prefix}f32 weights`)
        : undefined;
    this.adapter = typeof trained === "object" ? new Adapter(gpu, this.layout, trained, maxBindingBytes) : undefined;
    const rotations = rotationTable(config, maxPositions);
    this.rotations = gpu.allocator.storage(`${prefix}rotations`, rotations.byteLength);
    gpu.write(this.rotations, rotations);
  }

  get activeAdapter(): Adapter | undefined {
    return this.#adapterOn ? this.adapter : undefined;
  }

  /** Rank of the adapter in memory, on or off; 0 without one. */
  get adapterRank(): number {
    return this.adapter?.layout.filledRank ?? 0;
  }

  /** Switches the adapter off or on: off, the model is the one that the training began with. */
  useAdapter(on: boolean): void {
    this.#adapterOn = on;
  }

  /** What an optimizer changes, in f32. {@link storeTrained} must follow. */
  get trained(): ParameterValues {
    return this.adapter?.weights ?? this.#master ?? this.weights;
  }

  /** Records the rounding of changed f32 weights to what the model computes with. Nothing to do where that is f32. */
  storeTrained(): void {
    const master = this.#master;
    if (master === undefined) return;
    this.layout.segments.forEach(({ storage, length }, index) => {
      const value = at(master.segments, index);
      const out = at(this.weights.segments, index);
      if (storage === "f16" || storage === "bf16") storeHalves(this.gpu, { value, out }, { count: length, storage });
      else this.gpu.recorder.copy(value, out, length * 4);
    });
  }

  /** Uploads one tensor of the base model. */
  upload(tensor: CheckpointTensor): void {
    this.weights.upload(tensor);
    this.#master?.upload(tensor);
  }

  /** Uploads a checkpoint's tensors one by one. */
  async load(checkpoint: Checkpoint): Promise<void> {
    for await (const tensor of checkpoint.tensors()) this.upload(tensor);
  }

  destroy(): void {
    this.weights.destroy();
    this.#master?.destroy();
    this.adapter?.destroy();
    this.gpu.allocator.destroy(this.rotations);
  }
}
