/**
 * Buffers between kernels. Sampling keeps nothing: two alternating layer inputs and one set of the rest. Training keeps every layer's set; with recomputation
 * only every layer's input, and the rest is computed again before the layer's backward pass.
 */
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { ModelConfig } from "./config";

/** What the forward pass of one layer leaves for its backward pass. All [rows, ...]. */
export interface LayerActivations {
  readonly attentionNormed: BufferView;
  readonly attentionRstd: BufferView;
  readonly qkv: BufferView;
  /** Present with query and key norms: the projection with normalised query and key heads. */
  readonly normedQkv?: BufferView;
  readonly queryRstd?: BufferView;
  readonly keyRstd?: BufferView;
  readonly q: BufferView;
  readonly attentionOut: BufferView;
  readonly logSumExp: BufferView;
  readonly middle: BufferView;
  readonly mlpNormed: BufferView;
  readonly mlpRstd: BufferView;
  readonly gateUp: BufferView;
  readonly activated: BufferView;
}

/** What is kept of a forward pass. */
export type Retention = "nothing" | "everything" | "inputs";

/** Activations for up to `rows` rows. */
export class Activations {
  /** Input of layer i, and after the last layer the model's output: `inputs[i]`, i = 0 .. layers. */
  readonly inputs: readonly BufferView[];
  readonly layers: readonly LayerActivations[];
  /** [rows, rank]: workspace of an adapter. */
  readonly low: BufferView | undefined;
  readonly #owned: BufferView[] = [];
  readonly #gpu: GpuContext;
  readonly #labelPrefix: string;

  constructor(
    gpu: GpuContext,
    config: ModelConfig,
    readonly rows: number,
    readonly retention: Retention,
    adapterRank = 0,
    labelPrefix = "",
  ) {
    this.#gpu = gpu;
    this.#labelPrefix = labelPrefix;
    const hidden = () => this.#allocate("layer input", config.hiddenSize);
    if (retention === "nothing") {
      const [even, odd] = [hidden(), hidden()];
      this.inputs = Array.from({ length: config.layerCount + 1 }, (_, layer) => (layer % 2 === 0 ? even : odd));
    } else this.inputs = Array.from({ length: config.layerCount + 1 }, hidden);
    this.low = adapterRank === 0 ? undefined : this.#allocate("adapter", adapterRank);
    const shared = retention === "everything" ? undefined : this.#layer(config);
    this.layers = Array.from({ length: config.layerCount }, () => shared ?? this.#layer(config));
  }

  destroy(): void {
    for (const view of this.#owned) this.#gpu.allocator.destroy(view);
  }

  #allocate(name: string, width: number): BufferView {
    const view = this.#gpu.allocator.storage(`${this.#labelPrefix}activations (${name})`, this.rows * width * 4);
    this.#owned.push(view);
    return view;
  }

  #layer(config: ModelConfig): LayerActivations {
    const queries = config.headCount * config.headDim;
    const projected = queries + 2 * config.kvHeadCount * config.headDim;
    return {
      attentionNormed: this.#allocate("attention norm", config.hiddenSize),
      attentionRstd: this.#allocate("attention rstd", 1),
      qkv: this.#allocate("query, key, value", projected),
      ...(config.qkNorm
        ? {
            normedQkv: this.#allocate("normalised query, key", projected),
            queryRstd: this.#allocate("query rstd", config.headCount),
            keyRstd: this.#allocate("key rstd", config.kvHeadCount),
          }
        : {}),
      q: this.#allocate("query", queries),
      attentionOut: this.#allocate("attention", queries),
      logSumExp: this.#allocate("log-sum-exp", config.headCount),
      middle: this.#allocate("after attention", config.hiddenSize),
      mlpNormed: this.#allocate("mlp norm", config.hiddenSize),
      mlpRstd: this.#allocate("mlp rstd", 1),
      gateUp: this.#allocate("gate, up", 2 * config.intermediateSize),
      activated: this.#allocate("swiglu", config.intermediateSize),
    };
  }
}
