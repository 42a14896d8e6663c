/** Shapes of published models, for what needs no weights: plans, compilation, measurements. */
import { type ModelConfig, nanoConfig } from "./config";

const QWEN2: Omit<
  ModelConfig,
  "hiddenSize" | "intermediateSize" | "layerCount" | "headCount" | "kvHeadCount" | "headDim" | "tiedEmbeddings"
> = {
  architecture: "qwen2",
  vocabularySize: 151936,
  rmsNormEpsilon: 1e-6,
  ropeTheta: 1e6,
  maxPositions: 32768,
  attentionBias: true,
  qkNorm: false,
  eosTokenIds: [151643],
};

/** Configurations by the names that people call the models by, in lower case. */
export const KNOWN_SHAPES = {
  "qwen2.5-0.5b": {
    ...QWEN2,
    hiddenSize: 896,
    intermediateSize: 4864,
    layerCount: 24,
    headCount: 14,
    kvHeadCount: 2,
    headDim: 64,
    tiedEmbeddings: true,
  },
  "qwen2.5-1.5b": {
    ...QWEN2,
    hiddenSize: 1536,
    intermediateSize: 8960,
    layerCount: 28,
    headCount: 12,
    kvHeadCount: 2,
    headDim: 128,
    tiedEmbeddings: true,
  },
  "qwen2.5-7b": {
    ...QWEN2,
    hiddenSize: 3584,
    intermediateSize: 18944,
    layerCount: 28,
    headCount: 28,
    kvHeadCount: 4,
    headDim: 128,
    vocabularySize: 152064,
    tiedEmbeddings: false,
  },
  "llama3.2-1b": {
    architecture: "llama",
    hiddenSize: 2048,
    intermediateSize: 8192,
    layerCount: 16,
    headCount: 32,
    kvHeadCount: 8,
    headDim: 64,
    vocabularySize: 128256,
    rmsNormEpsilon: 1e-5,
    ropeTheta: 5e5,
    maxPositions: 131072,
    tiedEmbeddings: true,
    attentionBias: false,
    qkNorm: false,
    eosTokenIds: [128001],
  },
  "qwen3-0.6b": {
    architecture: "qwen3",
    hiddenSize: 1024,
    intermediateSize: 3072,
    layerCount: 28,
    headCount: 16,
    kvHeadCount: 8,
    headDim: 128,
    vocabularySize: 151936,
    rmsNormEpsilon: 1e-6,
    ropeTheta: 1e6,
    maxPositions: 32768,
    tiedEmbeddings: true,
    attentionBias: false,
    qkNorm: true,
    eosTokenIds: [151643],
  },
  nano: nanoConfig({ vocabularySize: 272, eosId: 256 }),
} as const satisfies Record<string, ModelConfig>;

export type KnownShape = keyof typeof KNOWN_SHAPES;
