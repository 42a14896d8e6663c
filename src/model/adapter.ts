/** Low-rank adapters (LoRA, Hu et al. 2021): W x becomes W x + (alpha / rank) B A x, where only A and B are trained. */

import { UserError } from "../base/errors";
import { at } from "../base/must";
import type { GpuContext } from "../gpu/context";
import type { ParameterLayout } from "./parameters";
import { type Parameter, type Placement, type Segment, SegmentPlanner, type TensorLayout } from "./segments";
import { ParameterValues } from "./values";

/** Linear layers that may have an adapter, by their names in a checkpoint. */
export const adapterTargets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;
export type AdapterTarget = (typeof adapterTargets)[number];

export interface AdapterConfig {
  /** Columns of B and rows of A. */
  readonly rank: number;
  /** What the adapter adds is multiplied by {@link adapterScale}. */
  readonly alpha: number;
  /** Divide alpha by the square root of the rank (rank-stabilised LoRA, Kalajdzievski 2023) in place of the rank. */
  readonly useRslora?: boolean;
  readonly targets: readonly AdapterTarget[];
}

/** What the product of B and A is multiplied by. */
export function adapterScale({ rank, alpha, useRslora = false }: AdapterConfig): number {
  return alpha / (useRslora ? Math.sqrt(rank) : rank);
}

/** The adapter of one linear layer, whose matrix is rows `rowBegin ..` of a parameter. */
export interface LowRank {
  /**
   * A [rank, columns]; kernels read four values at a time, so the rank is filled up with zeros, and training leaves
   * them zeros.
   */
  readonly down: Parameter;
  /** B [rows, rank], filled up alike. */
  readonly up: Parameter;
  readonly rowBegin: number;
}

const MODULES: Record<AdapterTarget, string> = {
  q_proj: "self_attn",
  k_proj: "self_attn",
  v_proj: "self_attn",
  o_proj: "self_attn",
  gate_proj: "mlp",
  up_proj: "mlp",
  down_proj: "mlp",
};

/**
 * A and B of every target in every layer. Tensors are named as in the base model with `.lora_A.weight` and
 * `.lora_B.weight` for `.weight`.
 */
export class AdapterLayout implements TensorLayout {
  readonly segments: readonly Segment[];
  /** Rows of A in memory: the rank, filled up to a multiple of 4. */
  readonly filledRank: number;
  readonly #placements = new Map<string, Placement>();
  readonly #pieces = new Map<Parameter, LowRank[]>();

  /** @throws UserError when the rank or the targets cannot be */
  constructor(
    model: ParameterLayout,
    readonly config: AdapterConfig,
    maxBindingBytes: number,
  ) {
    const { rank, targets } = config;
    if (!Number.isInteger(rank) || rank < 1)
      throw new UserError(`the rank of the adapter is ${rank}; expected a whole number of at least 1`);
    if (targets.length === 0)
      throw new UserError(`the adapter has no target; choose some of ${adapterTargets.join(", ")}`);
    this.filledRank = 4 * Math.ceil(rank / 4);
    const planner = new SegmentPlanner({ maxBindingBytes, storage: "f32", trained: true });
    for (let layer = 0; layer < model.config.layerCount; layer++)
      for (const target of adapterTargets) if (targets.includes(target)) this.#add(model, planner, layer, target);
    planner.endMatrices();
    this.segments = planner.segments;
  }

  get tensors(): Iterable<Placement> {
    return this.#placements.values();
  }

  find(hfName: string): Placement {
    const placement = this.#placements.get(hfName);
    if (placement === undefined) throw new Error(`${hfName} is no tensor of this adapter`);
    return placement;
  }

  /** What is added to the product with a parameter of the model. */
  of(parameter: Parameter): readonly LowRank[] {
    return this.#pieces.get(parameter) ?? [];
  }

  #add(model: ParameterLayout, planner: SegmentPlanner, layer: number, target: AdapterTarget): void {
    const module = `model.layers.${layer}.${MODULES[target]}.${target}`;
    const { parameter, shape, rowBegin } = model.find(`${module}.weight`);
    const [rows, columns] = [at(shape, 0), at(shape, 1)];
    const { rank } = this.config;
    const down = planner.matrix(this.filledRank, columns);
    const up = planner.matrix(rows, this.filledRank);
    if (down.shards.length > 1 || up.shards.length > 1)
      throw new UserError(
        `an adapter of rank ${rank} is larger than a binding of this adapter's GPU; choose a smaller rank`,
      );
    this.#pieces.set(parameter, [...this.of(parameter), { down, up, rowBegin }]);
    for (const [name, parameter, shape] of [
      ["lora_A", down, [rank, columns]],
      ["lora_B", up, [rows, rank]],
    ] as const) {
      const hfName = `${module}.${name}.weight`;
      this.#placements.set(hfName, { hfName, shape, parameter, rowBegin: 0, columnBegin: 0 });
    }
  }
}

/** An adapter on the GPU. */
export class Adapter {
  readonly layout: AdapterLayout;
  readonly weights: ParameterValues;
  /** What the product of A and B is multiplied by. */
  readonly scale: number;

  constructor(gpu: GpuContext, model: ParameterLayout, config: AdapterConfig, maxBindingBytes: number) {
    this.layout = new AdapterLayout(model, config, maxBindingBytes);
    this.weights = new ParameterValues(gpu, this.layout, "adapter");
    this.scale = adapterScale(config);
  }

  destroy(): void {
    this.weights.destroy();
  }
}
