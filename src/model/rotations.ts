/** Angles of the rotary position embedding, computed in f64 once and kept as a table, so that sampling and training turn by the same bits. */
import type { ModelConfig } from "./config";
import type { RopeScaling } from "./rope-scaling";

type Yarn = Extract<RopeScaling, { type: "yarn" }>;

/** Table [positions, headDim / 2] of (cos, sin), f32. The caller keeps `positions` within the config's. */
export function rotationTable(config: ModelConfig, positions: number): Float32Array {
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
function inverseFrequencies(config: ModelConfig): number[] {
  const base = Array.from(
    { length: config.headDim / 2 },
    (_, pair) => config.ropeTheta ** ((-2 * pair) / config.headDim),
  );
  const scaling = config.ropeScaling;
  // Dynamic scaling changes nothing up to the positions that the model was trained for, and longer sequences are refused.
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
 * YaRN (arXiv 2309.00071): pairs that turn more than `betaFast` times within the trained length keep their frequency, those that turn less than `betaSlow` times are
 * stretched by the factor, and those between are blended by their number, which is the logarithm of the frequency.
 */
function yarn(base: readonly number[], scaling: Yarn, { headDim, ropeTheta }: ModelConfig): number[] {
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
