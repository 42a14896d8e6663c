/** Workspace of the backward pass: gradients of activations, used again by every layer. */
import { columnPartialsLength } from "../../kernels/column_sum";
import { wholeRows } from "../../kernels/rms_norm";
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { ModelConfig } from "./config";

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

/** Buffers for up to `rows` rows. */
export class GradientWorkspace {
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
    // Head norms sum over rows * heads short vectors: as many blocks as the widest row can give, each at most `widest` long.
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
