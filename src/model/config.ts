/** Model configuration: config.json of a checkpoint, read and written, and the shapes of the parameters it implies. */
import { UserError } from "../base/errors";
import type { JsonObject } from "../base/json";
import { JsonReader, shown } from "./json-reader";
import { type RopeScaling, reachOf, readRopeScaling, writeRopeScaling } from "./rope";

/** The model families this package runs. They differ in q/k/v bias (Qwen2), q/k norm (Qwen3) and nothing else. */
export type Architecture = "llama" | "qwen2" | "qwen3";

/** Everything about a decoder-only transformer that decides its shapes and its arithmetic. */
export interface ModelConfig {
  readonly architecture: Architecture;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  /** Query head j reads KV head floor(j / (headCount / kvHeadCount)). */
  readonly kvHeadCount: number;
  /** Not always hiddenSize / headCount: q_proj is [headCount * headDim, hiddenSize]. */
  readonly headDim: number;
  /** Rows of the embedding; at least the number of tokenizer entries, often padded above it. */
  readonly vocabularySize: number;
  readonly rmsNormEpsilon: number;
  readonly ropeTheta: number;
  readonly ropeScaling?: RopeScaling;
  readonly maxPositions: number;
  readonly tiedEmbeddings: boolean;
  /** q_proj, k_proj and v_proj have a bias; o_proj never has one. */
  readonly attentionBias: boolean;
  /** RMSNorm over headDim on every query and key head, before RoPE. */
  readonly qkNorm: boolean;
  /**
   * A scalar value head on the last hidden state, `score.weight`: `alone` in a critic, which has no logits, or
   * `shared`, beside the logits on one trunk. None unless given.
   */
  readonly valueHead?: "alone" | "shared";
  readonly bosTokenId?: number;
  /** May be empty: then only stop strings and the length end a text. */
  readonly eosTokenIds: readonly number[];
}

/** Several times what any published model has; a number beyond it is damage, and lists are made of this length. */
const MOST_LAYERS = 1024;

const FAMILIES: Record<Architecture, string> = { llama: "Llama", qwen2: "Qwen2", qwen3: "Qwen3" };
/** What transformers calls a family's language model, and its critic: a classifier of tokens with one label. */
const [LANGUAGE_MODEL, CRITIC] = ["ForCausalLM", "ForTokenClassification"];
/** Our own key: no class of transformers has both heads. */
const SHARED_VALUE_HEAD = "zerotir_value_head";

/** The tensor of a value head [1, hidden]. */
export const VALUE_HEAD = "score.weight";

/** The class of transformers that a model is written as. */
export function classNameOf({ architecture, valueHead }: Pick<ModelConfig, "architecture" | "valueHead">): string {
  return FAMILIES[architecture] + (valueHead === "alone" ? CRITIC : LANGUAGE_MODEL);
}

/**
 * Reads a Hugging Face config.json, in the spelling of transformers 4 (`rope_theta`, `rope_scaling`) or 5
 * (`rope_parameters`).
 *
 * @param json the parsed file
 * @param source what to call it in errors
 * @throws UserError when a key is missing or wrong, or when the model needs something that is not implemented
 */
export function parseModelConfig(json: unknown, source = "config.json"): ModelConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new UserError(`${source}: expected a JSON object with the keys of a Hugging Face model`);
  const read = new JsonReader(json as JsonObject, source);
  const { architecture, valueHead } = readClass(read);
  refuseUnsupported(read, architecture);

  const hiddenSize = read.count("hidden_size");
  const headCount = read.count("num_attention_heads");
  const kvHeadCount = read.count("num_key_value_heads", headCount);
  const defaultHeadDim = Number.isInteger(hiddenSize / headCount) ? hiddenSize / headCount : undefined;
  // The class behind a Qwen3 config has a default of its own for what the others derive.
  const headDim = read.count("head_dim", architecture === "qwen3" ? 128 : defaultHeadDim);
  const intermediateSize = read.count("intermediate_size");
  const layerCount = read.count("num_hidden_layers");
  if (layerCount > MOST_LAYERS) read.fail(`num_hidden_layers is ${layerCount}; at most ${MOST_LAYERS} are supported`);
  const ropeParameters = read.object("rope_parameters");
  const bosTokenId = read.tokenIds("bos_token_id")[0];
  const maxPositions = read.count("max_position_embeddings", 2048);
  const ropeScaling = readRopeScaling(ropeParameters ?? read.object("rope_scaling"), maxPositions);
  for (const [key, size] of Object.entries({
    hidden_size: hiddenSize,
    intermediate_size: intermediateSize,
    head_dim: headDim,
  }))
    if (size % 4 !== 0)
      read.fail(`${key} is ${size}; kernels read four values at a time, so it must be a multiple of 4`);
  if (headCount % kvHeadCount !== 0)
    read.fail(
      `num_attention_heads ${headCount} is not a multiple of num_key_value_heads ${kvHeadCount}; each key head must serve equally many query heads`,
    );

  return {
    architecture,
    hiddenSize,
    intermediateSize,
    layerCount,
    headCount,
    kvHeadCount,
    headDim,
    vocabularySize: read.count("vocab_size"),
    rmsNormEpsilon: read.positive("rms_norm_eps", 1e-6),
    ropeTheta: ropeParameters?.has("rope_theta")
      ? ropeParameters.positive("rope_theta")
      : read.positive("rope_theta", 10000),
    ...(ropeScaling && { ropeScaling }),
    maxPositions: reachOf(ropeScaling, maxPositions),
    tiedEmbeddings: read.flag("tie_word_embeddings"),
    attentionBias: architecture === "qwen2",
    qkNorm: architecture === "qwen3",
    ...(valueHead !== undefined && { valueHead }),
    ...(bosTokenId !== undefined && { bosTokenId }),
    eosTokenIds: read.tokenIds("eos_token_id"),
  };
}

/**
 * The inverse of {@link parseModelConfig}: a config.json that transformers 4 and 5 read. Weights are stored as float32
 * unless `dtype` says otherwise.
 */
export function writeModelConfig(
  config: ModelConfig,
  dtype: "float32" | "float16" | "bfloat16" = "float32",
): JsonObject {
  return {
    architectures: [classNameOf(config)],
    model_type: config.architecture,
    ...(config.valueHead === "alone" && { num_labels: 1 }),
    ...(config.valueHead === "shared" && { [SHARED_VALUE_HEAD]: true }),
    hidden_act: "silu",
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layerCount,
    num_attention_heads: config.headCount,
    num_key_value_heads: config.kvHeadCount,
    head_dim: config.headDim,
    vocab_size: config.vocabularySize,
    max_position_embeddings: config.maxPositions,
    rms_norm_eps: config.rmsNormEpsilon,
    rope_theta: config.ropeTheta,
    rope_scaling: config.ropeScaling === undefined ? null : writeRopeScaling(config.ropeScaling),
    tie_word_embeddings: config.tiedEmbeddings,
    ...(config.architecture === "qwen2" ? { use_sliding_window: false } : { attention_bias: false }),
    ...(config.architecture === "llama" && { mlp_bias: false }),
    bos_token_id: config.bosTokenId ?? null,
    eos_token_id: config.eosTokenIds.length === 1 ? config.eosTokenIds[0] : [...config.eosTokenIds],
    torch_dtype: dtype,
  };
}

/** One tensor of a Hugging Face checkpoint; matrices are [out, in], row-major. */
export interface ParameterShape {
  readonly hfName: string;
  readonly shape: readonly number[];
}

/**
 * All tensors of a checkpoint of this model, from the embedding to the heads. A tied model has no `lm_head.weight`, and
 * neither has a critic.
 */
export function parameterShapes(config: ModelConfig): ParameterShape[] {
  const { hiddenSize: hidden, intermediateSize: inner, headDim, vocabularySize } = config;
  const queries = config.headCount * headDim;
  const keys = config.kvHeadCount * headDim;
  const list: ParameterShape[] = [];
  const add = (hfName: string, ...shape: number[]) => list.push({ hfName, shape });
  add("model.embed_tokens.weight", vocabularySize, hidden);
  for (let layer = 0; layer < config.layerCount; layer++) {
    const prefix = `model.layers.${layer}.`;
    const attention = `${prefix}self_attn.`;
    add(`${prefix}input_layernorm.weight`, hidden);
    for (const [name, rows] of [
      ["q_proj", queries],
      ["k_proj", keys],
      ["v_proj", keys],
    ] as const) {
      add(`${attention}${name}.weight`, rows, hidden);
      if (config.attentionBias) add(`${attention}${name}.bias`, rows);
    }
    if (config.qkNorm) {
      add(`${attention}q_norm.weight`, headDim);
      add(`${attention}k_norm.weight`, headDim);
    }
    add(`${attention}o_proj.weight`, hidden, queries);
    add(`${prefix}post_attention_layernorm.weight`, hidden);
    add(`${prefix}mlp.gate_proj.weight`, inner, hidden);
    add(`${prefix}mlp.up_proj.weight`, inner, hidden);
    add(`${prefix}mlp.down_proj.weight`, hidden, inner);
  }
  add("model.norm.weight", hidden);
  if (!config.tiedEmbeddings && config.valueHead !== "alone") add("lm_head.weight", vocabularySize, hidden);
  if (config.valueHead !== undefined) add(VALUE_HEAD, 1, hidden);
  return list;
}

/** Number of trained values; a tied head counts once. */
export function parameterCount(config: ModelConfig): number {
  return parameterShapes(config).reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
}

/** The shipped nano model's shape. */
export function nanoConfig(tokenizer: { readonly vocabularySize: number; readonly eosId: number }): ModelConfig {
  return {
    architecture: "llama",
    hiddenSize: 96,
    intermediateSize: 256,
    layerCount: 2,
    headCount: 4,
    kvHeadCount: 2,
    headDim: 24,
    vocabularySize: tokenizer.vocabularySize,
    rmsNormEpsilon: 1e-5,
    ropeTheta: 10000,
    maxPositions: 256,
    tiedEmbeddings: true,
    attentionBias: false,
    qkNorm: false,
    eosTokenIds: [tokenizer.eosId],
  };
}

function readClass(read: JsonReader): Pick<ModelConfig, "architecture" | "valueHead"> {
  const classes = read.value("architectures");
  const className: unknown = Array.isArray(classes) ? classes[0] : undefined;
  const type = read.value("model_type");
  const shared = read.flag(SHARED_VALUE_HEAD) ? { valueHead: "shared" as const } : {};
  const architectures = Object.keys(FAMILIES) as Architecture[];
  for (const architecture of architectures) {
    if (className === classNameOf({ architecture })) return { architecture, ...shared };
    if (className === undefined && type === architecture) return { architecture, ...shared };
    if (className !== classNameOf({ architecture, valueHead: "alone" })) continue;
    if (read.value("num_labels") !== 1)
      read.fail(
        `num_labels is ${shown(read.value("num_labels") ?? null)}; a critic gives one value per token, so 1 was expected`,
      );
    return { architecture, valueHead: "alone" };
  }
  if (className === undefined && type === undefined)
    read.fail("neither architectures nor model_type says what the model is");
  const known = architectures.map((architecture) => classNameOf({ architecture })).join(", ");
  return read.fail(`the model is ${shown(className ?? type)}; supported are ${known}`);
}

function refuseUnsupported(read: JsonReader, architecture: Architecture): void {
  const activation = read.value("hidden_act") ?? "silu";
  if (activation !== "silu" && activation !== "swish")
    read.fail(`hidden_act is ${shown(activation)}; only silu is implemented`);
  for (const key of ["num_experts", "num_local_experts", "n_routed_experts"])
    if (read.has(key)) read.fail(`${key} is set: mixture-of-experts models are not supported, use a dense one`);
  if (read.has("quantization_config"))
    read.fail("quantization_config is set: quantised weights cannot be trained, use the unquantised checkpoint");
  if (read.flag("use_sliding_window")) refuseWindow(read);
  const layers = read.value("layer_types");
  const other: unknown = Array.isArray(layers) ? layers.find((type) => type !== "full_attention") : undefined;
  if (other !== undefined) read.fail(`layer_types holds ${shown(other)}; only full_attention is implemented`);
  if (architecture !== "qwen2" && read.flag("attention_bias"))
    read.fail("attention_bias is true: a bias on o_proj is not implemented");
  if (read.flag("mlp_bias")) read.fail("mlp_bias is true: biases in the MLP are not implemented");
  if (read.has("partial_rotary_factor") && read.value("partial_rotary_factor") !== 1)
    read.fail("partial_rotary_factor is not 1: rotating a part of each head is not implemented");
}

/** As in transformers, layers from `max_window_layers` on have the window. */
function refuseWindow(read: JsonReader): void {
  const first = read.value("max_window_layers") ?? 28;
  if (typeof first !== "number" || first < read.count("num_hidden_layers"))
    read.fail(
      `use_sliding_window is true: layers from ${shown(first)} on see only the last ${read.count("sliding_window", 4096)} tokens, and sliding-window attention is not implemented`,
    );
}
