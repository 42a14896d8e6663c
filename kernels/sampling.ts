/** Sampling: from logits to tokens and their log-probs, and from a coefficient per token back to logits. */

import logitsGradientText from "../shaders/logits_gradient.wgsl?raw";
import sampleText from "../shaders/sample.wgsl?raw";
import tokenLogProbText from "../shaders/token_log_prob.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { rowGrid, rowReduceConstants } from "./lanes";
import { defineProgram, elementGrid } from "./program";

const sampleProgram = defineProgram("sample", sampleText, {
  bindings: ["logits", "entries", "slot_tokens", "thresholds"],
  params: [
    "entry_count",
    "vocabulary",
    "logits_stride",
    "slot_length",
    "seed_low",
    "seed_high",
    "inverse_temperature",
    "top_k",
    "top_p",
    "min_p_log",
  ],
});
const tokenLogProbProgram = defineProgram("token_log_prob", tokenLogProbText, {
  bindings: ["logits", "entries", "slot_tokens", "thresholds", "statistics"],
  params: ["entry_count", "vocabulary", "logits_stride", "slot_length", "inverse_temperature"],
});
const logitsGradientProgram = defineProgram("logits_gradient", logitsGradientText, {
  bindings: ["statistics", "coefficients", "entropy_coefficients", "thresholds", "logits"],
  params: ["entry_count", "vocabulary", "logits_stride", "inverse_temperature"],
});

/** How a token is drawn. temperature 0 is greedy; topK 0, topP 1 and minP 0 keep every token. */
export interface SamplingSettings {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  /** Two 32-bit halves of the key of the random numbers. */
  readonly seed: readonly [low: number, high: number];
}

/** `entries` tokens over logits rows that are `stride` elements long, of which `vocabulary` are real. */
export interface LogitsShape {
  readonly entries: number;
  readonly vocabulary: number;
  readonly stride: number;
  readonly slotLength: number;
}

/**
 * The number that divides out the temperature in all three programs; greedy sampling reports log-probs at temperature
 * 1.
 */
export function inverseTemperature(temperature: number): number {
  return temperature === 0 ? 1 : 1 / temperature;
}

/**
 * Draws a token per entry into slotTokens and writes the entry's threshold. entries [entries, 4] = logits row, slot,
 * position, trajectory id.
 */
export function sample(
  gpu: GpuContext,
  views: { logits: BufferView; entries: BufferView; slotTokens: BufferView; thresholds: BufferView },
  shape: LogitsShape,
  settings: SamplingSettings,
): void {
  const truncated = settings.topK > 0 || settings.topP < 1 || settings.minP > 0;
  sampleProgram.record(gpu, {
    bindings: {
      logits: views.logits,
      entries: views.entries,
      slot_tokens: views.slotTokens,
      thresholds: views.thresholds,
    },
    params: {
      entry_count: shape.entries,
      vocabulary: shape.vocabulary,
      logits_stride: shape.stride,
      slot_length: shape.slotLength,
      seed_low: settings.seed[0],
      seed_high: settings.seed[1],
      inverse_temperature: settings.temperature === 0 ? 0 : 1 / settings.temperature,
      top_k: settings.topK,
      top_p: settings.topP,
      min_p_log: settings.minP > 0 ? Math.log(settings.minP) : -100,
    },
    constants: { ...rowReduceConstants(gpu.profile), TRUNCATED: truncated },
    grid: rowGrid(gpu.profile, shape.entries),
  });
}

/**
 * What the fourth statistic says beside the token id: whether no id has a greater logit. A half is exact in f32 for all
 * ids below 2^23.
 */
export function isGreedy(idStatistic: number): boolean {
  return idStatistic % 1 !== 0;
}

/**
 * statistics [entries, 4] = log-prob of the entry's token, log-sum-exp, entropy, token id plus 1/2 where it is the most
 * probable ({@link isGreedy}).
 */
export function tokenLogProb(
  gpu: GpuContext,
  views: {
    logits: BufferView;
    entries: BufferView;
    slotTokens: BufferView;
    thresholds: BufferView;
    statistics: BufferView;
  },
  shape: LogitsShape,
  temperature: number,
): void {
  tokenLogProbProgram.record(gpu, {
    bindings: {
      logits: views.logits,
      entries: views.entries,
      slot_tokens: views.slotTokens,
      thresholds: views.thresholds,
      statistics: views.statistics,
    },
    params: {
      entry_count: shape.entries,
      vocabulary: shape.vocabulary,
      logits_stride: shape.stride,
      slot_length: shape.slotLength,
      inverse_temperature: inverseTemperature(temperature),
    },
    constants: rowReduceConstants(gpu.profile),
    grid: rowGrid(gpu.profile, shape.entries),
  });
}

/**
 * In place: logits row i becomes coefficients[i] times the gradient of the log-prob of entry i's token, plus
 * entropyCoefficients[i], where they are given, times the gradient of the row's entropy. Log-probs over a truncated
 * distribution need the
 * `thresholds` that {@link tokenLogProb} had; without them nothing is cut off.
 */
export function logitsGradient(
  gpu: GpuContext,
  views: {
    statistics: BufferView;
    coefficients: BufferView;
    entropyCoefficients?: BufferView;
    thresholds?: BufferView;
    logits: BufferView;
  },
  shape: Omit<LogitsShape, "slotLength">,
  temperature: number,
): void {
  logitsGradientProgram.record(gpu, {
    bindings: {
      statistics: views.statistics,
      coefficients: views.coefficients,
      entropy_coefficients: views.entropyCoefficients ?? gpu.empty,
      thresholds: views.thresholds ?? gpu.empty,
      logits: views.logits,
    },
    params: {
      entry_count: shape.entries,
      vocabulary: shape.vocabulary,
      logits_stride: shape.stride,
      inverse_temperature: inverseTemperature(temperature),
    },
    constants: { TRUNCATED: views.thresholds !== undefined, ENTROPY: views.entropyCoefficients !== undefined },
    grid: elementGrid(shape.entries * shape.stride),
  });
}
