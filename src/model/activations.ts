/**
 * Activations and their gradients: the buffers between kernels. Sampling keeps nothing: two alternating layer inputs
 * and one set of the rest. Training keeps every layer's set; with recomputation only every layer's input, and the rest
 * is computed again before the layer's backward pass.
 */
import { columnPartialsLength } from "../../kernels/column_sum";
import { wholeRows } from "../../kernels/rms_norm";
import { at } from "../base/must";
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

  /** The last hidden states [rows, hidden]. */
  get output(): BufferView {
    return at(this.inputs, this.inputs.length - 1);
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

/** Gradients of the activations of one layer, all [rows, ...], used again by every layer. */
export interface LayerGradients {
  readonly doutput: BufferView;
  readonly dinput: BufferView;
  readonly dactivated: BufferView;
  readonly dgateUp: BufferView;
  readonly dnormed: BufferView;
  readonly dmiddle: BufferView;
  readonly dattention: BufferView;
  readonly rowStatistics: BufferView;
  readonly dq: BufferView;
  /** [rows, 2 kvHeads, headDim]: key heads, then value heads. */
  readonly dkv: BufferView;
  readonly dqkv: BufferView;
  /** Present with query and key norms. */
  readonly dprojection?: BufferView;
  /** [rows, rank], present with an adapter. */
  readonly low?: BufferView;
  readonly dlow?: BufferView;
  readonly partials: BufferView;
}

/** Workspace of the backward pass for up to `rows` rows. */
export class ActivationGradients {
  readonly #owned: BufferView[] = [];
  readonly #even: BufferView;
  readonly #odd: BufferView;
  readonly #shared: Omit<LayerGradients, "doutput" | "dinput">;
  readonly #gpu: GpuContext;

  constructor(gpu: GpuContext, config: ModelConfig, rows: number, adapterRank = 0, labelPrefix = "") {
    this.#gpu = gpu;
    const allocate = (name: string, width: number) => {
      const view = gpu.allocator.storage(`${labelPrefix}gradient workspace (${name})`, rows * width * 4);
      this.#owned.push(view);
      return view;
    };
    const hidden = config.hiddenSize;
    const queries = config.headCount * config.headDim;
    const keys = config.kvHeadCount * config.headDim;
    const projected = queries + 2 * keys;
    const widest = Math.max(hidden, projected);
    // Head norms sum over rows * heads short vectors: as many blocks as the widest row can give, each at most `widest`
    // long.
    const partialElements = Math.max(
      columnPartialsLength(wholeRows(rows, widest)),
      columnPartialsLength({ ...wholeRows(rows, config.headDim), vectorsPerRow: config.headCount }),
    );
    const partials = gpu.allocator.storage(`${labelPrefix}gradient workspace (column sums)`, partialElements * 4);
    this.#owned.push(partials);
    this.#even = allocate("layer output", hidden);
    this.#odd = allocate("layer input", hidden);
    this.#shared = {
      dactivated: allocate("swiglu", config.intermediateSize),
      dgateUp: allocate("gate, up", 2 * config.intermediateSize),
      dnormed: allocate("normed", hidden),
      dmiddle: allocate("after attention", hidden),
      dattention: allocate("attention", queries),
      rowStatistics: allocate("row statistics", 2 * config.headCount),
      dq: allocate("query", queries),
      dkv: allocate("key, value", 2 * keys),
      dqkv: allocate("query, key, value", projected),
      ...(adapterRank > 0
        ? { low: allocate("adapter", adapterRank), dlow: allocate("adapter, gradient", adapterRank) }
        : {}),
      ...(config.qkNorm ? { dprojection: allocate("projection", projected) } : {}),
      partials,
    };
  }

  /** The workspace as layer `layer` sees it: the gradient of its output is that of the next layer's input. */
  layer(layer: number): LayerGradients {
    return { ...this.#shared, doutput: this.boundary(layer + 1), dinput: this.boundary(layer) };
  }

  /** Gradient of `activations.inputs[layer]`. Only two neighbours are ever alive. */
  boundary(layer: number): BufferView {
    return layer % 2 === 0 ? this.#even : this.#odd;
  }

  get partials(): BufferView {
    return this.#shared.partials;
  }

  destroy(): void {
    for (const view of this.#owned) this.#gpu.allocator.destroy(view);
  }
}
