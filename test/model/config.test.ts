import { describe, expect, it } from "vitest";
import {
  type ModelConfig,
  parameterCount,
  parameterShapes,
  parseModelConfig,
  writeModelConfig,
} from "../../src/model/config";

const qwen25 = {
  architectures: ["Qwen2ForCausalLM"],
  model_type: "qwen2",
  hidden_act: "silu",
  hidden_size: 896,
  intermediate_size: 4864,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  vocab_size: 151936,
  max_position_embeddings: 32768,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000,
  sliding_window: 32768,
  use_sliding_window: false,
  max_window_layers: 21,
  tie_word_embeddings: true,
  bos_token_id: 151643,
  eos_token_id: 151643,
  torch_dtype: "bfloat16",
};
const qwen3 = {
  architectures: ["Qwen3ForCausalLM"],
  hidden_size: 1024,
  intermediate_size: 3072,
  num_hidden_layers: 28,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  head_dim: 128,
  vocab_size: 151936,
  max_position_embeddings: 40960,
  rms_norm_eps: 1e-6,
  rope_parameters: { rope_theta: 1000000, rope_type: "default" },
  attention_bias: false,
  layer_types: ["full_attention", "full_attention"],
  tie_word_embeddings: true,
  eos_token_id: [151645, 151643],
  dtype: "bfloat16",
};
const llama32 = {
  architectures: ["LlamaForCausalLM"],
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 16,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  vocab_size: 128256,
  max_position_embeddings: 131072,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  rope_scaling: {
    rope_type: "llama3",
    factor: 32,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  },
  tie_word_embeddings: true,
  bos_token_id: 128000,
  eos_token_id: 128001,
};

describe("parseModelConfig", () => {
  it("reads a Qwen2.5 config: bias without a key, a window that is not in use", () => {
    expect(parseModelConfig(qwen25)).toEqual({
      architecture: "qwen2",
      hiddenSize: 896,
      intermediateSize: 4864,
      layerCount: 24,
      headCount: 14,
      kvHeadCount: 2,
      headDim: 64,
      vocabularySize: 151936,
      rmsNormEpsilon: 1e-6,
      ropeTheta: 1e6,
      maxPositions: 32768,
      tiedEmbeddings: true,
      attentionBias: true,
      qkNorm: false,
      bosTokenId: 151643,
      eosTokenIds: [151643],
    } satisfies ModelConfig);
  });

  it("reads a Qwen3 config with the newer keys and a head_dim that is not hidden / heads", () => {
    const config = parseModelConfig(qwen3);
    expect(config).toMatchObject({ headDim: 128, ropeTheta: 1e6, qkNorm: true, attentionBias: false });
    expect(config.eosTokenIds).toEqual([151645, 151643]);
    expect(config.ropeScaling).toBeUndefined();
  });

  it("reads llama3 and yarn rope scaling, under the legacy key too", () => {
    expect(parseModelConfig(llama32).ropeScaling).toEqual({
      type: "llama3",
      factor: 32,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalMaxPositions: 8192,
    });
    const yarn = { type: "yarn", factor: 4, original_max_position_embeddings: 32768 };
    const scaling = parseModelConfig({ ...qwen25, rope_scaling: yarn }).ropeScaling;
    expect(scaling).toMatchObject({ type: "yarn", betaFast: 32, betaSlow: 1, originalMaxPositions: 32768 });
    expect(scaling?.type === "yarn" && scaling.attentionFactor).toBeCloseTo(0.1 * Math.log(4) + 1, 12);
  });

  it("takes a sliding window that no layer has", () => {
    const unused = { ...qwen25, use_sliding_window: true, max_window_layers: 24 };
    expect(parseModelConfig(unused)).toEqual(parseModelConfig(qwen25));
  });

  it("gives every head its own key head when num_key_value_heads is absent", () => {
    const { num_key_value_heads: _, ...rest } = llama32;
    expect(parseModelConfig(rest).kvHeadCount).toBe(32);
  });

  it("reads the critic of each family by the class that transformers has for it, and writes it so", () => {
    for (const [json, family] of [
      [qwen25, "Qwen2"],
      [qwen3, "Qwen3"],
      [llama32, "Llama"],
    ] as const) {
      const critic = { ...json, architectures: [`${family}ForTokenClassification`], num_labels: 1 };
      const config = parseModelConfig(critic);
      expect(config).toEqual({ ...parseModelConfig(json), valueHead: "alone" });
      expect(writeModelConfig(config)).toMatchObject({ architectures: critic.architectures, num_labels: 1 });
    }
  });

  it("keeps the class of a language model with a value head, and adds a key", () => {
    const config: ModelConfig = { ...parseModelConfig(qwen25), valueHead: "shared" };
    const plain = writeModelConfig(parseModelConfig(qwen25));
    expect(writeModelConfig(config)).toEqual({ ...plain, zerotir_value_head: true });
  });

  it.each([
    ["not an object", [], /expected a JSON object/],
    ["a missing size", { ...qwen25, hidden_size: undefined }, /hidden_size is missing/],
    ["a wrong size", { ...qwen25, num_hidden_layers: "24" }, /num_hidden_layers is "24"/],
    [
      "another family",
      { ...qwen25, architectures: ["GPT2LMHeadModel"] },
      /GPT2LMHeadModel.*supported are LlamaForCausalLM/,
    ],
    [
      "a classifier of tokens",
      { ...qwen25, architectures: ["Qwen2ForTokenClassification"], num_labels: 2 },
      /num_labels is 2; a critic/,
    ],
    [
      "a classifier without labels",
      { ...qwen25, architectures: ["Qwen2ForTokenClassification"] },
      /num_labels is null/,
    ],
    ["a value head of no kind", { ...qwen25, zerotir_value_head: "yes" }, /zerotir_value_head is "yes"/],
    ["no family", { hidden_size: 8 }, /neither architectures nor model_type/],
    [
      "a sliding window in use",
      { ...qwen25, use_sliding_window: true, sliding_window: 4096 },
      /layers from 21 on see only the last 4096 tokens/,
    ],
    ["more layers than any model has", { ...qwen25, num_hidden_layers: 999_999_999 }, /at most 1024/],
    ["a layer with a window", { ...qwen3, layer_types: ["full_attention", "sliding_attention"] }, /sliding_attention/],
    ["experts", { ...qwen3, num_experts: 128 }, /mixture-of-experts/],
    ["quantised weights", { ...qwen3, quantization_config: { bits: 4 } }, /quantised/],
    ["another activation", { ...llama32, hidden_act: "gelu" }, /hidden_act is "gelu"/],
    ["an o_proj bias", { ...llama32, attention_bias: true }, /attention_bias/],
    ["an MLP bias", { ...llama32, mlp_bias: true }, /mlp_bias/],
    ["partial rotation", { ...llama32, partial_rotary_factor: 0.5 }, /partial_rotary_factor/],
    ["an unknown rope type", { ...llama32, rope_scaling: { rope_type: "longrope" } }, /"longrope" is not implemented/],
    ["a width of no use", { ...llama32, hidden_size: 2050, head_dim: 64 }, /hidden_size is 2050.*multiple of 4/],
    ["no head_dim and no way to tell", { ...llama32, hidden_size: 2052 }, /head_dim is missing/],
    ["unequal groups", { ...llama32, num_key_value_heads: 5 }, /not a multiple of num_key_value_heads/],
    ["a wrong end id", { ...llama32, eos_token_id: "</s>" }, /eos_token_id is "<\/s>"/],
  ])("refuses %s", (_, json, message) => {
    expect(() => parseModelConfig(json, "m/config.json")).toThrow(message);
    try {
      parseModelConfig(json, "m/config.json");
    } catch (error) {
      expect(error).toMatchObject({ name: "UserError", message: expect.stringMatching(/^m\/config\.json: /) });
    }
  });

  it("comes back the same after writing", () => {
    for (const json of [
      qwen25,
      qwen3,
      llama32,
      { ...qwen25, rope_scaling: { type: "linear", factor: 2 } },
      { ...llama32, eos_token_id: null },
      { ...qwen25, zerotir_value_head: true },
      { ...qwen3, architectures: ["Qwen3ForTokenClassification"], num_labels: 1 },
    ]) {
      const config = parseModelConfig(json);
      expect(parseModelConfig(JSON.parse(JSON.stringify(writeModelConfig(config))))).toEqual(config);
    }
  });
});

describe("parameterShapes", () => {
  it("gives a critic a value head in the place of the logits, and a shared trunk both", () => {
    const untied: ModelConfig = { ...parseModelConfig(qwen3), tiedEmbeddings: false };
    const heads = (config: ModelConfig) =>
      parameterShapes(config)
        .slice(-2)
        .map(({ hfName, shape }) => [hfName, shape]);
    const value = ["score.weight", [1, 1024]];
    expect(heads({ ...untied, valueHead: "alone" })).toEqual([["model.norm.weight", [1024]], value]);
    expect(heads({ ...untied, valueHead: "shared" })).toEqual([["lm_head.weight", [151936, 1024]], value]);
    expect(parameterCount({ ...untied, valueHead: "shared" })).toBe(parameterCount(untied) + 1024);
  });

  it("counts the parameters of published models", () => {
    expect(parameterCount(parseModelConfig(qwen25))).toBe(494_032_768);
    expect(parameterCount(parseModelConfig(qwen3))).toBe(596_049_920);
    expect(parameterCount(parseModelConfig(llama32))).toBe(1_235_814_400);
  });

  it("lists q/k norms with a non-square q_proj, and a head only when untied", () => {
    const shapes = new Map(
      parameterShapes({ ...parseModelConfig(qwen3), tiedEmbeddings: false }).map(({ hfName, shape }) => [
        hfName,
        shape,
      ]),
    );
    expect(shapes.get("model.layers.27.self_attn.q_proj.weight")).toEqual([2048, 1024]);
    expect(shapes.get("model.layers.27.self_attn.o_proj.weight")).toEqual([1024, 2048]);
    expect(shapes.get("model.layers.0.self_attn.k_norm.weight")).toEqual([128]);
    expect(shapes.has("model.layers.0.self_attn.q_proj.bias")).toBe(false);
    expect(shapes.get("lm_head.weight")).toEqual([151936, 1024]);
    expect(parameterShapes(parseModelConfig(qwen3)).some(({ hfName }) => hfName === "lm_head.weight")).toBe(false);
  });
});
