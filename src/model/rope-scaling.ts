/** How rotary frequencies are changed for long contexts: what config.json says of it. The arithmetic is in rotations.ts. */
import { type JsonObject, type JsonReader, shown } from "./json-reader";

/** Absent: plain RoPE. */
export type RopeScaling =
  | { readonly type: "linear"; readonly factor: number }
  | {
      /** Plain RoPE up to the positions it was trained for; beyond them frequencies would depend on the length of each sequence. */
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
