import { describe, expect, test } from "vitest";
import { parseModelConfig, writeModelConfig } from "../../src/model/config";
import { rotationTable } from "../../src/model/rope";

const HEAD_DIM = 64;
const THETA = 10000;
const json = {
  architectures: ["LlamaForCausalLM"],
  hidden_size: 256,
  intermediate_size: 512,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 100,
  max_position_embeddings: 4096,
  rope_theta: THETA,
};

/**
 * Angle of one position step for pair `i`, as published, written from the wavelength where the product writes from the
 * frequency.
 */
type Frequency = (i: number) => number;
const plain =
  (theta = THETA): Frequency =>
  (i) =>
    Math.exp((-2 * i * Math.log(theta)) / HEAD_DIM);

/** Llama 3.1: by wavelength, w < L0 / high kept, w > L0 / low stretched, blended between. */
function llama3(factor: number, low: number, high: number, original: number, theta: number): Frequency {
  return (i) => {
    const frequency = plain(theta)(i);
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength < original / high) return frequency;
    if (wavelength > original / low) return frequency / factor;
    const share = (original / wavelength - low) / (high - low);
    return ((1 - share) * frequency) / factor + share * frequency;
  };
}

/** YaRN: the pair that turns n times in L0 positions is d ln(L0 / 2 pi n) / 2 ln theta. */
function yarn(factor: number, original: number, fast: number, slow: number, theta: number): Frequency {
  const pair = (turns: number) => (HEAD_DIM * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const first = Math.max(Math.floor(pair(fast)), 0);
  const last = Math.min(Math.ceil(pair(slow)), HEAD_DIM - 1);
  return (i) => {
    const ramp = i <= first ? 0 : i >= last ? 1 : (i - first) / (last - first);
    return plain(theta)(i) * (ramp / factor + (1 - ramp));
  };
}

/** Dynamic NTK for a sequence of `length`, of at least the trained one. */
function dynamic(factor: number, trained: number, length: number): Frequency {
  const stretch = (factor * Math.max(length, trained)) / trained - (factor - 1);
  return plain(THETA * stretch ** (HEAD_DIM / (HEAD_DIM - 2)));
}

const scaled = (rope_scaling: object, more: object = {}) => ({ ...json, rope_scaling, ...more });
const yarnScaling = { factor: 4, original_max_position_embeddings: 4096 };
const llama3Scaling = {
  rope_type: "llama3",
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 512,
};

test.each<[string, object, Frequency, number]>([
  ["default", json, plain(), 1],
  ["default by name", scaled({ rope_type: "default" }), plain(), 1],
  ["the newer key", { ...json, rope_parameters: { rope_type: "default", rope_theta: 5e5 } }, plain(5e5), 1],
  ["linear", scaled({ type: "linear", factor: 2.5 }), (i) => plain()(i) / 2.5, 1],
  ["dynamic, up to the trained length", scaled({ type: "dynamic", factor: 4 }), dynamic(4, 4096, 4096), 1],
  ["llama3", scaled(llama3Scaling, { rope_theta: 5e5 }), llama3(8, 1, 4, 512, 5e5), 1],
  ["yarn", scaled({ type: "yarn", ...yarnScaling }), yarn(4, 4096, 32, 1, THETA), 0.1 * Math.log(4) + 1],
  [
    "yarn, all of it stated, newer key",
    {
      ...json,
      rope_parameters: {
        rope_type: "yarn",
        ...yarnScaling,
        rope_theta: 1e6,
        beta_fast: 16,
        beta_slow: 2,
        attention_factor: 1.5,
      },
    },
    yarn(4, 4096, 16, 2, 1e6),
    1.5,
  ],
])("%s", (_, config, frequency, scale) => {
  const positions = 4096;
  for (const parsed of [parseModelConfig(config), parseModelConfig(writeModelConfig(parseModelConfig(config)))]) {
    const table = rotationTable(parsed, positions);
    expect(table.length).toBe(positions * HEAD_DIM);
    for (const position of [0, 1, 2, 77, 1000, 4095])
      for (let i = 0; i < HEAD_DIM / 2; i++) {
        const at = position * HEAD_DIM + 2 * i;
        const angle = position * frequency(i);
        // An ulp of f32, and what f64 loses in an angle of thousands of radians.
        expect(Math.abs((table[at] ?? Number.NaN) - scale * Math.cos(angle))).toBeLessThan(1.2e-7 * scale);
        expect(Math.abs((table[at + 1] ?? Number.NaN) - scale * Math.sin(angle))).toBeLessThan(1.2e-7 * scale);
      }
  }
});

test("the scalings differ from plain RoPE where they should", () => {
  const at = (config: object, i: number) => rotationTable(parseModelConfig(config), 2)[HEAD_DIM + 2 * i + 1];
  for (const config of [scaled({ type: "yarn", ...yarnScaling, attention_factor: 1 }), scaled(llama3Scaling)]) {
    expect(at(config, 0)).toBe(at(json, 0));
    expect(at(config, 31)).not.toBe(at(json, 31));
    // Some pair is between both.
    const ratios = Array.from({ length: 32 }, (_, i) => (at(config, i) ?? 0) / (at(json, i) ?? 1));
    expect(ratios.some((ratio) => ratio > 0.26 && ratio < 0.9)).toBe(true);
  }
});

describe("the longest sequence", () => {
  test("YaRN reaches factor times as far, whichever length the file states", () => {
    const reach = (more: object) => parseModelConfig({ ...json, ...more }).maxPositions;
    expect(reach({})).toBe(4096);
    expect(reach({ rope_scaling: { type: "yarn", ...yarnScaling } })).toBe(16384);
    expect(reach({ rope_scaling: { type: "yarn", factor: 4 } })).toBe(16384);
    expect(reach({ max_position_embeddings: 16384, rope_scaling: { type: "yarn", ...yarnScaling } })).toBe(16384);
    expect(reach({ rope_scaling: { type: "dynamic", factor: 4 } })).toBe(4096);
  });
});

test.each<[string, object, RegExp]>([
  ["longrope", { rope_type: "longrope", factor: 4 }, /"longrope" is not implemented \(it has two lists/],
  ["a kind of tomorrow", { rope_type: "spiral" }, /"spiral" is not implemented; known are default, linear, dynamic/],
  ["a kind that is no text", { rope_type: [[1]] }, /rope type a list of 1 entries is not implemented/],
  ["a kind with the name of an object's own", { rope_type: "constructor" }, /"constructor" is not implemented; known/],
  ["no factor", { rope_type: "linear" }, /factor is missing/],
  ["a factor below 1", { rope_type: "yarn", factor: 0.5 }, /factor is 0.5; expected 1 or more/],
  [
    "dynamic with two lengths",
    { type: "dynamic", factor: 2, original_max_position_embeddings: 2048 },
    /2048 is not max_position_embeddings 4096/,
  ],
  ["llama3 turned round", { ...llama3Scaling, high_freq_factor: 1 }, /high_freq_factor must be above/],
  ["yarn turned round", { type: "yarn", factor: 2, beta_fast: 1, beta_slow: 32 }, /beta_fast must be above/],
  ["mscale", { type: "yarn", factor: 2, mscale: 1 }, /mscale is not implemented.*attention_factor/],
  ["a ramp between fractions", { type: "yarn", factor: 2, truncate: false }, /truncate false is not implemented/],
  ["parameters by layer", { full_attention: { rope_type: "default" } }, /one set for all layers is implemented/],
])("refuses %s", (_, rope_scaling, message) => {
  expect(() => parseModelConfig(scaled(rope_scaling))).toThrow(message);
});
