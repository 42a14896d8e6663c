/** The backward pass of a trunk: from the gradient of the last hidden states to those of the layers' parameters and of the embedding. */
import { embeddingGradient, groupRowsByToken } from "../../kernels/embedding";
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import { GradientWorkspace } from "./gradients";
import { layerBackward, layerForward } from "./layer";
import type { Model } from "./model";
import type { GradientTargets } from "./projection";
import type { SequenceRows } from "./sequence-upload";
import type { Trunk } from "./trunk";

/** Workspace of the backward passes of one trunk. */
export class TrunkGradients {
  readonly #workspace: GradientWorkspace;
  readonly #groupTokens: BufferView;
  readonly #groupStarts: BufferView;
  readonly #groupedRows: BufferView;
  readonly #gpu: GpuContext;
  readonly #trunk: Trunk;

  constructor(model: Model, trunk: Trunk, label: string) {
    this.#trunk = trunk;
    const { gpu, config, labelPrefix } = model;
    const { rows } = trunk.shape;
    this.#gpu = gpu;
    this.#workspace = new GradientWorkspace(gpu, config, rows, model.adapterRank, labelPrefix);
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
   * @param rows what that forward returned
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
    trunk.requireLatest(rows);
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
      if (activations.retention === "inputs") layerForward(model, layer, tables, activations, trunk.rows, rows.count);
      const work = this.#workspace.layer(layer);
      layerBackward(model, targets, layer, tables, activations, trunk.rows, rows.count, work);
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
      // Groups are in ascending order of tokens, so a shard's groups are one run; starts are absolute, so only the run's first group moves.
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

function lowerBound(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
