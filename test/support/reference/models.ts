/** Small random models, ragged batches and comparisons for the tests of src/model. */
import { createContext, type GpuContext } from "../../../src/gpu/context";
import { type ModelConfig, parameterShapes } from "../../../src/model/config";
import type { CheckpointTensor } from "../../../src/model/folder";
import { Model, type ModelOptions } from "../../../src/model/model";
import type { TrainingSequence, TrainingShape } from "../../../src/model/policy-pass";
import type { ParameterValues } from "../../../src/model/values";
import { testDevice } from "../device";

let shared: Promise<GpuContext> | undefined;

/** The context of this test file's device. */
export function modelContext(): Promise<GpuContext> {
  shared ??= testDevice().then(createContext);
  return shared;
}

/** Seeded numbers: a 32-bit Weyl sequence, mixed by multiplication. */
export class Numbers {
  constructor(private state: number) {}

  /** In (0, 1). */
  uniform(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (((mixed ^ (mixed >>> 15)) >>> 0) + 0.5) / 2 ** 32;
  }

  below(end: number): number {
    return Math.floor(this.uniform() * end);
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}

const base: ModelConfig = {
  architecture: "llama",
  hiddenSize: 32,
  intermediateSize: 52,
  layerCount: 2,
  headCount: 4,
  kvHeadCount: 2,
  headDim: 8,
  vocabularySize: 61,
  rmsNormEpsilon: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedEmbeddings: true,
  attentionBias: false,
  qkNorm: false,
  eosTokenIds: [2],
};

/**
 * The shapes that the tests go through: every family, tied and untied, grouped heads, head widths that are not
 * hiddenSize / headCount, and sizes that fill no tile. Only two head widths, because a software adapter compiles the
 * attention programs anew for each.
 */
export const CONFIGS = {
  "llama, tied": base,
  "llama, untied, one key head, scaled rotations": {
    ...base,
    hiddenSize: 96,
    intermediateSize: 100,
    layerCount: 3,
    headCount: 3,
    kvHeadCount: 1,
    headDim: 12,
    vocabularySize: 130,
    tiedEmbeddings: false,
    ropeTheta: 100,
    ropeScaling: {
      type: "llama3",
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalMaxPositions: 32,
    },
  },
  "qwen2, tied, biases": {
    ...base,
    architecture: "qwen2",
    hiddenSize: 48,
    intermediateSize: 76,
    layerCount: 3,
    headCount: 6,
    kvHeadCount: 2,
    vocabularySize: 67,
    rmsNormEpsilon: 1e-6,
    ropeTheta: 1e6,
    attentionBias: true,
  },
  "qwen3, untied, head norms, wide heads": {
    ...base,
    architecture: "qwen3",
    hiddenSize: 16,
    intermediateSize: 36,
    headCount: 4,
    kvHeadCount: 2,
    headDim: 12,
    vocabularySize: 43,
    rmsNormEpsilon: 1e-6,
    ropeTheta: 1e6,
    tiedEmbeddings: false,
    qkNorm: true,
  },
  "qwen3, tied, narrow heads": {
    ...base,
    architecture: "qwen3",
    hiddenSize: 64,
    headCount: 2,
    kvHeadCount: 2,
    qkNorm: true,
  },
} as const satisfies Record<string, ModelConfig>;

/**
 * Random values of every tensor: matrices that keep the scale of their input, gains near 1, embeddings that give tied
 * logits a deviation near 1.5.
 */
export function randomTensors(config: ModelConfig, seed = 1): CheckpointTensor[] {
  const numbers = new Numbers(seed);
  return parameterShapes(config).map(({ hfName, shape }) => {
    const [rows = 1, columns] = shape;
    const isGain = hfName.includes("norm");
    const scale = columns === undefined ? 0.3 : (hfName.includes("embed") ? 1.5 : 1) / Math.sqrt(columns);
    const length = rows * (columns ?? 1);
    return {
      hfName,
      shape,
      data: Float32Array.from({ length }, () => (isGain ? 1 : 0) + scale * numbers.normal()),
    };
  });
}

/** A model on the GPU with these tensors. */
export function modelOf(
  gpu: GpuContext,
  config: ModelConfig,
  tensors: readonly CheckpointTensor[],
  options: ModelOptions = {},
): Model {
  const model = new Model(gpu, config, config.maxPositions, options);
  for (const tensor of tensors) model.upload(tensor);
  return model;
}

/**
 * Random sequences of these lengths, of which about two thirds of the tokens are scored. Ids are below `vocabulary`.
 */
export function randomBatch(
  config: ModelConfig,
  lengths: readonly number[],
  seed = 7,
  vocabulary = config.vocabularySize,
): TrainingSequence[] {
  const numbers = new Numbers(seed);
  return lengths.map((length) => ({
    ids: Uint32Array.from({ length }, () => numbers.below(vocabulary)),
    scored: Uint8Array.from({ length }, (_, position) => (position > 0 && numbers.uniform() < 0.66 ? 1 : 0)),
  }));
}

/** One coefficient per scored token. */
export function randomCoefficients(count: number, seed = 11): Float32Array {
  const numbers = new Numbers(seed);
  return Float32Array.from({ length: count }, () => numbers.normal());
}

/** A training shape that just fits the batch. */
export function shapeOf(sequences: readonly TrainingSequence[], changes: Partial<TrainingShape> = {}): TrainingShape {
  return {
    rows: sequences.reduce((sum, { ids }) => sum + ids.length - 1, 0),
    sequences: sequences.length,
    sequenceLength: Math.max(...sequences.map(({ ids }) => ids.length)),
    pageSize: 4,
    recompute: false,
    logitsBytes: 2 ** 24,
    ...changes,
  };
}

/** All tensors of a copy of the parameters, by Hugging Face name. */
export async function downloadAll(
  values: Pick<ParameterValues, "download" | "layout">,
): Promise<Map<string, Float32Array>> {
  const all = new Map<string, Float32Array>();
  for (const { hfName } of values.layout.tensors) all.set(hfName, await values.download(hfName));
  return all;
}

/** ||actual - expected|| / ||expected||; ||actual|| where only zeros are expected. */
export function relativeNormError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += ((actual[i] ?? Number.NaN) - (expected[i] ?? Number.NaN)) ** 2;
    norm += (expected[i] ?? Number.NaN) ** 2;
  }
  return Math.sqrt(norm === 0 ? difference : difference / norm);
}

/** The largest absolute difference. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? Number.NaN));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** Kind of a tensor: its name without the layer's number. */
export function kindOf(hfName: string): string {
  return hfName.replace(/^model\.(layers\.\d+\.)?/, "").replace(/\.weight$/, "");
}

/** The f32 words of an array, for comparisons to the bit. */
export function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}
