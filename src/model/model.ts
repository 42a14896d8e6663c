/** A model on the GPU: its weights and its forward pass up to the last hidden state. */
import { embedding } from "../../kernels/embedding";
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { Activations } from "./activations";
import type { ModelConfig } from "./config";
import type { Checkpoint } from "./folder";
import { layerForward } from "./layer";
import { ParameterLayout, ParameterValues } from "./parameters";
import type { ModelParts } from "./parts";
import { rotationTable } from "./rotations";
import type { SequenceTables } from "./sequences";

/** Weights and constant tables; everything that changes while running is the caller's. */
export class Model implements ModelParts {
  readonly layout: ParameterLayout;
  readonly weights: ParameterValues;
  /** (cos, sin) per position and pair of a head. */
  readonly rotations: BufferView;

  /**
   * @param maxPositions longest sequence that will be computed
   * @param vocabulary number of ids that exist; rows of the embedding beyond it are padding, have no probability and are never sampled
   */
  constructor(
    readonly gpu: GpuContext,
    readonly config: ModelConfig,
    readonly maxPositions: number,
    maxBindingBytes = gpu.profile.limits.maxStorageBufferBindingSize,
    readonly vocabulary = config.vocabularySize,
  ) {
    this.layout = new ParameterLayout(config, maxBindingBytes);
    this.weights = new ParameterValues(gpu, this.layout, "weights");
    const rotations = rotationTable(config, maxPositions);
    this.rotations = gpu.allocator.storage("rotations", rotations.byteLength);
    gpu.write(this.rotations, rotations);
  }

  /** Uploads a checkpoint's tensors one by one. */
  async load(checkpoint: Checkpoint): Promise<void> {
    for await (const tensor of checkpoint.tensors()) this.weights.upload(tensor);
  }

  /**
   * Records the forward pass of `rowCount` rows; `activations.inputs[layerCount]` then holds the last hidden states. Writes keys and values of the rows into
   * their pages. `rows` [rowCount, 4] = slot, position, end of the sequence's rows (training only), 0.
   */
  forward(tables: SequenceTables, activations: Activations, rows: BufferView, rowCount: number): void {
    const [first] = activations.inputs;
    if (first === undefined || rowCount > activations.rows)
      throw new RangeError(`${rowCount} rows do not fit activations of ${activations.rows}`);
    for (const shard of this.layout.embedding.shards)
      embedding(
        this.gpu,
        { rows, slotTokens: tables.slotTokens, table: this.weights.view(this.layout.embedding, shard), x: first },
        {
          rows: rowCount,
          width: this.config.hiddenSize,
          slotLength: tables.shape.slotLength,
          shardBegin: shard.rowBegin,
          shardRows: shard.rows,
        },
      );
    for (let layer = 0; layer < this.config.layerCount; layer++)
      layerForward(this, layer, tables, activations, rows, rowCount);
  }

  destroy(): void {
    this.weights.destroy();
    this.gpu.allocator.destroy(this.rotations);
  }
}
