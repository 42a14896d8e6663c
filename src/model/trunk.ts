/**
 * The trunk of a model: embedding and transformer blocks up to the last hidden states, forward and backward. What
 * stands on the last hidden states is in head.ts and value-pass.ts.
 */
import { embedding, embeddingGradient, groupRowsByToken } from "../../kernels/embedding";
import { at } from "../base/must";
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import { ActivationGradients, Activations, type Retention } from "./activations";
import type { ModelConfig } from "./config";
import { layerBackward, layerForward } from "./layer";
import type { Model } from "./model";
import type { GradientTargets } from "./projection";
import { type BatchRows, RowTable } from "./row-table";
import { type ContinuedSequence, rowsOf, type SequenceRows, SequenceTables, sharedPrefixes } from "./sequences";

/**
 * Records the forward pass of a batch of rows; `activations.output` then holds the last hidden states. Writes keys and
 * values of the rows into their pages.
 */
export function trunkForward(model: Model, tables: SequenceTables, activations: Activations, rows: BatchRows): void {
  const { gpu, config, layout, weights } = model;
  if (rows.count > activations.rows)
    throw new RangeError(`${rows.count} rows do not fit activations of ${activations.rows}`);
  const x = at(activations.inputs, 0);
  for (const shard of layout.embedding.shards)
    embedding(
      gpu,
      { rows: rows.view, slotTokens: tables.slotTokens, table: weights.view(layout.embedding, shard), x },
      {
        rows: rows.count,
        width: config.hiddenSize,
        slotLength: tables.shape.slotLength,
        shardBegin: shard.rowBegin,
        shardRows: shard.rows,
        storage: weights.storageOf(layout.embedding),
      },
    );
  for (let layer = 0; layer < config.layerCount; layer++) layerForward(model, layer, tables, activations, rows);
}

/** Most that a micro-batch may hold. */
export interface TrunkShape {
  /** Most rows (tokens without each sequence's last) of a micro-batch. */
  readonly rows: number;
  /** Most sequences of a micro-batch. */
  readonly sequences: number;
  /** Most tokens of a sequence. */
  readonly sequenceLength: number;
  readonly pageSize: number;
  /** KV pages; enough for any such micro-batch unless given. */
  readonly pages?: number;
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

/**
 * Forward pass over micro-batches of sequences: its buffers, for the model that they are made for and others of the
 * same sizes.
 */
export class Trunk {
  readonly tables: SequenceTables;
  readonly activations: Activations;
  readonly #rows: RowTable;
  readonly #config: ModelConfig;
  /** The rows whose activations are in the buffers, as the sequences gave them and on the GPU. */
  #latest: { readonly rows: SequenceRows; readonly batch: BatchRows } | undefined;

  /** @param retention what of the forward pass is kept for a backward pass */
  constructor(
    model: Model,
    readonly shape: TrunkShape,
    retention: Retention,
    label: string,
  ) {
    const { gpu, config, labelPrefix } = model;
    this.#config = config;
    const { sequences, sequenceLength, pageSize } = shape;
    const { pages = sequences + Math.ceil((shape.rows + sequences) / pageSize) } = shape;
    this.tables = new SequenceTables(
      gpu,
      config,
      { slots: sequences, slotLength: sequenceLength, pageSize, pages },
      `${labelPrefix}${label}`,
    );
    this.activations = new Activations(gpu, config, shape.rows, retention, model.adapterRank, labelPrefix);
    this.#rows = new RowTable(gpu, shape.rows, `${labelPrefix}${label}`);
  }

  /** The last hidden states [rows, hidden]. */
  get output(): BufferView {
    return this.activations.output;
  }

  /** Whether a micro-batch of these sequences fits the buffers. */
  fits(sequences: number, rows: number): boolean {
    return sequences <= this.shape.sequences && rows <= this.shape.rows;
  }

  /**
   * Uploads the sequences and records their forward pass through `model`.
   * @throws RangeError when they do not fit; see {@link fits}
   */
  forward(model: Model, sequences: readonly ContinuedSequence[]): SequenceRows {
    const prefixes = sharedPrefixes(sequences, this.shape.pageSize);
    const rows = rowsOf(sequences, prefixes);
    if (!this.fits(sequences.length, rows.count))
      throw new RangeError(`${sequences.length} sequences of ${rows.count} rows do not fit this pass`);
    this.tables.setSequences(sequences, prefixes);
    const batch = this.#rows.write(rows.rows);
    trunkForward(model, this.tables, this.activations, batch);
    this.#latest = { rows, batch };
    return rows;
  }

  /**
   * The rows of the last forward pass on the GPU.
   * @throws Error when a later forward pass has overwritten what the one that returned `rows` kept: a mistake of ours
   */
  latestBatch(rows: SequenceRows): BatchRows {
    if (this.#latest?.rows !== rows) throw new Error("another forward pass came before this backward pass");
    return this.#latest.batch;
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
    this.#rows.destroy();
  }
}

/**
 * Backward pass of a trunk, from the gradient of the last hidden states to those of the layers' parameters and of the
 * embedding: its workspace.
 */
export class TrunkBackward {
  readonly #workspace: ActivationGradients;
  readonly #groupTokens: BufferView;
  readonly #groupStarts: BufferView;
  readonly #groupedRows: BufferView;
  readonly #gpu: GpuContext;
  readonly #trunk: Trunk;

  constructor(model: Model, trunk: Trunk, label: string) {
    const { gpu, config, labelPrefix } = model;
    const { rows } = trunk.shape;
    this.#gpu = gpu;
    this.#trunk = trunk;
    this.#workspace = new ActivationGradients(gpu, config, rows, model.adapterRank, labelPrefix);
    const allocate = (name: string, elements: number) =>
      gpu.allocator.storage(`${labelPrefix}${label} (${name})`, elements * 4);
    this.#groupTokens = allocate("token groups", rows);
    this.#groupStarts = allocate("starts of token groups", rows + 1);
    this.#groupedRows = allocate("rows by token", rows);
  }

  /** Workspace of column sums over up to all rows. */
  get partials(): BufferView {
    return this.#workspace.partials;
  }

  /**
   * Records and submits the backward pass of the trunk's last forward.
   * @param model the one of that forward
   * @param rows what that forward returned, of whole sequences
   * @param headBackward records the gradient of the last hidden states into its argument, which is 0 before
   */
  backward(
    model: Model,
    targets: GradientTargets,
    rows: SequenceRows,
    headBackward: (doutput: BufferView) => void,
  ): void {
    const gpu = this.#gpu;
    const trunk = this.#trunk;
    const { config } = model;
    const batch = trunk.latestBatch(rows);
    const groups = groupRowsByToken(rows.tokens);
    gpu.write(this.#groupTokens, groups.tokens);
    gpu.write(this.#groupedRows, groups.rows);
    gpu.write(this.#groupStarts, groups.starts);

    const { tables, activations } = trunk;
    const last = config.layerCount;
    const doutput = this.#workspace.boundary(last);
    gpu.recorder.clear(doutput, rows.count * config.hiddenSize * 4);
    headBackward(doutput);
    for (let layer = last - 1; layer >= 0; layer--) {
      if (activations.retention === "inputs") layerForward(model, layer, tables, activations, batch);
      const work = this.#workspace.layer(layer);
      layerBackward(model, targets, layer, tables, activations, batch, work);
    }
    this.#embeddingBackward(model, targets, groups.tokens);
    gpu.recorder.submit();
  }

  destroy(): void {
    this.#workspace.destroy();
    for (const view of [this.#groupTokens, this.#groupStarts, this.#groupedRows]) this.#gpu.allocator.destroy(view);
  }

  #embeddingBackward({ config, layout }: Model, { model: target }: GradientTargets, tokens: Uint32Array): void {
    if (target === undefined) return;
    for (const shard of layout.embedding.shards) {
      // Groups are in ascending order of tokens, so a shard's groups are one run; starts are absolute, so only the
      // run's first group moves.
      const first = lowerBound(tokens, shard.rowBegin);
      const count = lowerBound(tokens, shard.rowBegin + shard.rows) - first;
      if (count === 0) continue;
      embeddingGradient(
        this.#gpu,
        {
          groupTokens: this.#groupTokens,
          groupStarts: this.#groupStarts,
          groupedRows: this.#groupedRows,
          dx: this.#workspace.boundary(0),
          dtable: target.view(layout.embedding, shard),
        },
        { first, tokens: count, width: config.hiddenSize, shardBegin: shard.rowBegin },
      );
    }
  }
}

/** First place of `sorted` whose value is not below `value`. */
function lowerBound(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(sorted, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
