/**
 * Parameter layout: the parameters of a model and where the tensors of a checkpoint lie in them. Tensors that are used
 * together are one matrix here: query, key and value; gate and up.
 */
import { STORAGE_BLOCK } from "../../kernels/weight_storage";
import { UserError } from "../base/errors";
import { type ModelConfig, parameterShapes, VALUE_HEAD } from "./config";
import {
  type Parameter,
  type Placement,
  type Segment,
  SegmentPlanner,
  type StoragePlan,
  type TensorLayout,
} from "./segments";

export interface LayerParameters {
  readonly attentionNorm: Parameter;
  /** [(heads + 2 kvHeads) * headDim, hidden] */
  readonly qkv: Parameter;
  readonly qkvBias?: Parameter;
  readonly queryNorm?: Parameter;
  readonly keyNorm?: Parameter;
  readonly attentionOut: Parameter;
  readonly mlpNorm: Parameter;
  /** [2 * intermediate, hidden] */
  readonly gateUp: Parameter;
  readonly down: Parameter;
}

/** The plan of all parameters: a pure function of the config and of how they are stored. */
export class ParameterLayout implements TensorLayout {
  readonly embedding: Parameter;
  /** The embedding itself when the model is tied; absent in a critic. */
  readonly head: Parameter | undefined;
  /** [1, hidden] */
  readonly valueHead: Parameter | undefined;
  readonly layers: readonly LayerParameters[];
  readonly finalNorm: Parameter;
  readonly segments: readonly Segment[];
  readonly #placements = new Map<string, Placement>();

  /** @throws UserError when a stored block of values would belong to two tensors */
  constructor(
    readonly config: ModelConfig,
    plan: StoragePlan,
  ) {
    const planner = new SegmentPlanner(plan);
    const hidden = config.hiddenSize;
    const queries = config.headCount * config.headDim;
    const keys = config.kvHeadCount * config.headDim;
    const inner = config.intermediateSize;
    // Matrices first, so that weight decay is one range at the start of each segment.
    this.embedding = planner.matrix(config.vocabularySize, hidden);
    const matrices = Array.from({ length: config.layerCount }, () => ({
      qkv: planner.matrix(queries + 2 * keys, hidden),
      attentionOut: planner.matrix(hidden, queries),
      gateUp: planner.matrix(2 * inner, hidden),
      down: planner.matrix(hidden, inner),
    }));
    if (config.valueHead === "alone") this.head = undefined;
    else this.head = config.tiedEmbeddings ? this.embedding : planner.matrix(config.vocabularySize, hidden);
    this.valueHead = config.valueHead === undefined ? undefined : planner.matrix(1, hidden);
    planner.endMatrices();
    this.layers = matrices.map((layer) => ({
      ...layer,
      attentionNorm: planner.vector(hidden),
      mlpNorm: planner.vector(hidden),
      ...(config.attentionBias ? { qkvBias: planner.vector(queries + 2 * keys) } : {}),
      ...(config.qkNorm ? { queryNorm: planner.vector(config.headDim), keyNorm: planner.vector(config.headDim) } : {}),
    }));
    this.finalNorm = planner.vector(hidden);
    this.segments = planner.segments;
    this.#place(queries, keys, inner);
    if (plan.storage === "int8" || plan.storage === "int4")
      for (const { hfName, rowBegin, parameter } of this.tensors)
        if ((rowBegin * parameter.columns) % STORAGE_BLOCK !== 0)
          throw new UserError(
            `${hfName} begins inside a block of ${STORAGE_BLOCK} values, so this model cannot be stored as ${plan.storage}; use bfloat16`,
          );
  }

  /** Tensors of the Hugging Face checkpoint in the order of `parameterShapes`. */
  get tensors(): Iterable<Placement> {
    return this.#placements.values();
  }

  find(hfName: string): Placement {
    const placement = this.#placements.get(hfName);
    if (placement === undefined) throw new Error(`${hfName} is no tensor of this model`);
    return placement;
  }

  #place(queries: number, keys: number, inner: number): void {
    // What is not named here begins its matrix.
    const rowStarts: Record<string, number> = {
      "k_proj.weight": queries,
      "v_proj.weight": queries + keys,
      "up_proj.weight": inner,
    };
    const columnStarts: Record<string, number> = { "k_proj.bias": queries, "v_proj.bias": queries + keys };
    for (const { hfName, shape } of parameterShapes(this.config)) {
      const last = hfName.split(".").slice(-2).join(".");
      this.#placements.set(hfName, {
        hfName,
        shape,
        parameter: this.#parameterOf(hfName, last),
        rowBegin: rowStarts[last] ?? 0,
        columnBegin: columnStarts[last] ?? 0,
      });
    }
  }

  #parameterOf(hfName: string, last: string): Parameter {
    if (hfName === "model.embed_tokens.weight") return this.embedding;
    if (hfName === "model.norm.weight") return this.finalNorm;
    const layer = this.layers[Number(/layers\.(\d+)\./.exec(hfName)?.[1])];
    const byName: Record<string, Parameter | undefined> = {
      "lm_head.weight": this.head,
      [VALUE_HEAD]: this.valueHead,
      "input_layernorm.weight": layer?.attentionNorm,
      "post_attention_layernorm.weight": layer?.mlpNorm,
      "q_proj.weight": layer?.qkv,
      "k_proj.weight": layer?.qkv,
      "v_proj.weight": layer?.qkv,
      "q_proj.bias": layer?.qkvBias,
      "k_proj.bias": layer?.qkvBias,
      "v_proj.bias": layer?.qkvBias,
      "q_norm.weight": layer?.queryNorm,
      "k_norm.weight": layer?.keyNorm,
      "o_proj.weight": layer?.attentionOut,
      "gate_proj.weight": layer?.gateUp,
      "up_proj.weight": layer?.gateUp,
      "down_proj.weight": layer?.down,
    };
    const parameter = byName[last];
    if (parameter === undefined) throw new Error(`${hfName} has no place on the GPU`);
    return parameter;
  }
}
