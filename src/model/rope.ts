/**
 * Rotary position embedding: what config.json says of its frequencies, and the table of angles. The table is computed
 * in f64 once, so that sampling and training turn by the same bits.
 */
import type { JsonObject } from "../base/json";
import { type JsonReader, shown } from "./json-reader";

/** Absent: plain RoPE. */
export type RopeScaling =
  | { readonly type: "linear"; readonly factor: number }
  | {
      /**
       * Plain RoPE up to the positions it was trained for; beyond them frequencies would depend on the length of each
       * sequence.
       */
      readonly type: "dynamic";
      readonly factor: number;
    }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalMaxPositions: number;
    }
  | {
      readonly type: "yarn";
      readonly factor: number;
      readonly originalMaxPositions: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Multiplies cos and sin. */
      readonly attentionFactor: number;
    };

const KNOWN = ["default", "linear", "dynamic", "llama3", "yarn"];

/** Why a known kind of scaling is refused. */
const REFUSED: Readonly<Record<string, string>> = {
  longrope:
    "it has two lists of factors and takes one by the length of each sequence, which keys in a cache cannot follow",
  su: "it is longrope by its older name",
  mrope: "it turns by the place in an image, and only text is supported",
};

/**
 * Reads `rope_parameters` (transformers 5) or `rope_scaling` (4, with `rope_type` or the older `type`).
 *
 * @param maxPositions max_position_embeddings
 * @throws UserError for a kind that is not implemented, and for parameters that make no sense
 */
export function readRopeScaling(read: JsonReader | undefined, maxPositions: number): RopeScaling | undefined {
  if (read === undefined) return undefined;
  for (const kind of ["full_attention", "sliding_attention"])
    if (read.has(kind)) read.fail(`${kind} has parameters of its own; one set for all layers is implemented`);
  const type = read.value("rope_type") ?? read.value("type") ?? "default";
  if (type === "default") return undefined;
  if (typeof type !== "string" || !KNOWN.includes(type)) {
    const why = typeof type === "string" && Object.hasOwn(REFUSED, type) ? ` (${REFUSED[type]})` : "";
    return read.fail(`rope type ${shown(type)} is not implemented${why}; known are ${KNOWN.join(", ")}`);
  }
  const factor = read.positive("factor");
  if (factor < 1) read.fail(`factor is ${factor}; expected 1 or more`);
  if (type === "linear") return { type, factor };
  if (type === "dynamic") {
    const original = read.count("original_max_position_embeddings", maxPositions);
    if (original !== maxPositions)
      read.fail(
        `original_max_position_embeddings ${original} is not max_position_embeddings ${maxPositions}; for rope type dynamic, make both the length it was trained for`,
      );
    return { type, factor };
  }
  const originalMaxPositions = read.count(
    "original_max_position_embeddings",
    type === "yarn" ? maxPositions : undefined,
  );
  if (type === "llama3") {
    const lowFrequencyFactor = read.positive("low_freq_factor");
    const highFrequencyFactor = read.positive("high_freq_factor");
    if (highFrequencyFactor <= lowFrequencyFactor) read.fail("high_freq_factor must be above low_freq_factor");
    return { type, factor, lowFrequencyFactor, highFrequencyFactor, originalMaxPositions };
  }
  for (const key of ["mscale", "mscale_all_dim"])
    if (read.has(key)) read.fail(`${key} is not implemented for rope type yarn; give attention_factor instead`);
  if (read.value("truncate") === false) read.fail("truncate false is not implemented for rope type yarn");
  const betaFast = read.positive("beta_fast", 32);
  const betaSlow = read.positive("beta_slow", 1);
  if (betaFast <= betaSlow) read.fail("beta_fast must be above beta_slow");
  return {
    type: "yarn",
    factor,
    originalMaxPositions,
    betaFast,
    betaSlow,
    attentionFactor: read.positive("attention_factor", 0.1 * Math.log(factor) + 1),
  };
}

/** Longest sequence: YaRN reaches `factor` times as far as it was trained for, and config files state either length. */
export function reachOf(scaling: RopeScaling | undefined, maxPositions: number): number {
  return scaling?.type === "yarn"
    ? Math.max(maxPositions, Math.floor(scaling.originalMaxPositions * scaling.factor))
    : maxPositions;
}

/** The inverse of {@link readRopeScaling}, in the spelling of transformers 4. */
export function writeRopeScaling(scaling: RopeScaling): JsonObject {
  const common = { rope_type: scaling.type, factor: scaling.factor };
  if (scaling.type === "linear" || scaling.type === "dynamic") return common;
  const original = { ...common, original_max_position_embeddings: scaling.originalMaxPositions };
  return scaling.type === "llama3"
    ? { ...original, low_freq_factor: scaling.lowFrequencyFactor, high_freq_factor: scaling.highFrequencyFactor }
    : {
        ...original,
        beta_fast: scaling.betaFast,
        beta_slow: scaling.betaSlow,
        attention_factor: scaling.attentionFactor,
      };
}

/** What the table depends on. */
export interface RotaryConfig {
  /** Values of a head, turned in pairs (i, i + headDim / 2). */
  readonly headDim: number;
  readonly ropeTheta: number;
  readonly ropeScaling?: RopeScaling;
}

type Yarn = Extract<RopeScaling, { type: "yarn" }>;

/** Table [positions, headDim / 2] of (cos, sin), f32. The caller keeps `positions` within the config's. */
export function rotationTable(config: RotaryConfig, positions: number): Float32Array {
  const frequencies = inverseFrequencies(config);
  const scale = config.ropeScaling?.type === "yarn" ? config.ropeScaling.attentionFactor : 1;
  const table = new Float32Array(positions * frequencies.length * 2);
  for (let position = 0; position < positions; position++)
    frequencies.forEach((frequency, pair) => {
      const at = (position * frequencies.length + pair) * 2;
      table[at] = scale * Math.cos(position * frequency);
      table[at + 1] = scale * Math.sin(position * frequency);
    });
  return table;
}

/** theta^(-2i / headDim) for each pair i, changed as the config's scaling says. */
function inverseFrequencies(config: RotaryConfig): number[] {
  const base = Array.from(
    { length: config.headDim / 2 },
    (_, pair) => config.ropeTheta ** ((-2 * pair) / config.headDim),
  );
  const scaling = config.ropeScaling;
  // Dynamic scaling changes nothing up to the positions that the model was trained for, and longer sequences are
  // refused.
  if (scaling === undefined || scaling.type === "dynamic") return base;
  if (scaling.type === "linear") return base.map((frequency) => frequency / scaling.factor);
  if (scaling.type === "llama3")
    // Llama 3.1: long wavelengths are stretched by the factor, short ones kept, those between blended.
    return base.map((frequency) => {
      const turns = (scaling.originalMaxPositions * frequency) / (2 * Math.PI);
      if (turns < scaling.lowFrequencyFactor) return frequency / scaling.factor;
      if (turns > scaling.highFrequencyFactor) return frequency;
      const smooth = (turns - scaling.lowFrequencyFactor) / (scaling.highFrequencyFactor - scaling.lowFrequencyFactor);
      return (1 - smooth) * (frequency / scaling.factor) + smooth * frequency;
    });
  return yarn(base, scaling, config);
}

/**
 * YaRN (arXiv 2309.00071): pairs that turn more than `betaFast` times within the trained length keep their frequency,
 * those that turn less than `betaSlow` times are stretched by the factor, and those between are blended by their
 * number, which is the logarithm of the frequency.
 */
function yarn(base: readonly number[], scaling: Yarn, { headDim, ropeTheta }: RotaryConfig): number[] {
  const pairTurning = (turns: number) =>
    (headDim * Math.log(scaling.originalMaxPositions / (2 * Math.PI * turns))) / (2 * Math.log(ropeTheta));
  const low = Math.max(0, Math.floor(pairTurning(scaling.betaFast)));
  const high = Math.min(headDim - 1, Math.ceil(pairTurning(scaling.betaSlow)));
  const width = Math.max(high - low, 0.001);
  return base.map((frequency, pair) => {
    const stretched = Math.min(1, Math.max(0, (pair - low) / width));
    return (frequency / scaling.factor) * stretched + frequency * (1 - stretched);
  });
}
