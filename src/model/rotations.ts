/** Angles of the rotary position embedding, computed in f64 once and kept as a table, so that sampling and training turn by the same bits. */
import type { ModelConfig } from "./config";
import { UserError } from "./user-error";

/**
 * Table [positions, headDim / 2] of (cos, sin), f32.
 * @throws UserError for a scaling of the frequencies that is not implemented
 */
export function rotationTable(config: ModelConfig, positions: number): Float32Array {
  const frequencies = inverseFrequencies(config);
  const table = new Float32Array(positions * frequencies.length * 2);
  for (let position = 0; position < positions; position++)
    frequencies.forEach((frequency, pair) => {
      const at = (position * frequencies.length + pair) * 2;
      table[at] = Math.cos(position * frequency);
      table[at + 1] = Math.sin(position * frequency);
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
  if (scaling === undefined) return base;
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
  throw new UserError(
    `config.json: rope scaling "${scaling.type}" is not supported yet; use a model with default, linear or llama3 scaling`,
  );
}
