/**
 * The specification of the model in f64: Llama (Touvron et al. 2023), Qwen2 (biases on query, key and value) and Qwen3
 * (RMSNorm of query and key heads), one sequence at a time, without caches, pages, fused matrices or chunks.
 */
import type { ModelConfig } from "../../../src/model/config";
import type { CheckpointTensor } from "../../../src/model/folder";
import { at, Matrix, Tape } from "./tape";

/** Token ids and which of them are scored, as in a training micro-batch. */
export interface ReferenceSequence {
  readonly ids: ArrayLike<number>;
  readonly scored: ArrayLike<number>;
}

export interface ReferencePass {
  /** Of the scored tokens, sequence after sequence. */
  readonly logprobs: number[];
  readonly entropies: number[];
  /** Gradient of sum_t coefficients[t] * logprobs[t] for every tensor by its Hugging Face name. */
  backward(coefficients: ArrayLike<number>): Map<string, Float64Array>;
}

export interface ReferenceValues {
  /** V before each scored token, sequence after sequence. */
  readonly values: number[];
  /** Gradient of sum_t coefficients[t] * values[t] for every tensor by its Hugging Face name. */
  backward(coefficients: ArrayLike<number>): Map<string, Float64Array>;
}

/** A number of a pass that may carry a gradient. */
interface Source {
  readonly matrix: Matrix;
  readonly row: number;
}

/**
 * A model whose tensors may be changed in place between passes. Ids from `vocabulary` on are padding and have no
 * probability.
 */
export class ReferenceModel {
  readonly parameters = new Map<string, Matrix>();
  private readonly frequencies: readonly number[];

  constructor(
    readonly config: ModelConfig,
    tensors: Iterable<CheckpointTensor>,
    private readonly vocabulary = config.vocabularySize,
  ) {
    for (const { hfName, shape, data } of tensors) {
      const [rows = 1, columns] = shape;
      this.parameters.set(hfName, columns === undefined ? new Matrix(1, rows, data) : new Matrix(rows, columns, data));
    }
    this.frequencies = rotaryFrequencies(config);
  }

  /** Logits [ids.length, vocabulary] of one sequence. */
  logits(ids: ArrayLike<number>, tape = new Tape()): Matrix {
    const head = this.tensor(this.config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight");
    return tape.linear(this.normed(ids, tape), head);
  }

  /** Hidden states [ids.length, hidden] of one sequence after the final norm. */
  private normed(ids: ArrayLike<number>, tape: Tape): Matrix {
    const { config } = this;
    const epsilon = config.rmsNormEpsilon;
    let x = tape.gather(this.tensor("model.embed_tokens.weight"), ids);
    for (let layer = 0; layer < config.layerCount; layer++) {
      const weight = (name: string) => this.tensor(`model.layers.${layer}.${name}`);
      const normed = tape.rmsNorm(x, weight("input_layernorm.weight"), epsilon);
      const projected = (name: string) =>
        tape.linear(
          normed,
          weight(`self_attn.${name}_proj.weight`),
          config.attentionBias ? weight(`self_attn.${name}_proj.bias`) : undefined,
        );
      const rotated = (name: string) => {
        const heads = projected(name);
        const kept = config.qkNorm ? tape.rmsNorm(heads, weight(`self_attn.${name}_norm.weight`), epsilon) : heads;
        return tape.rotate(kept, this.frequencies);
      };
      const mixed = tape.attention(rotated("q"), rotated("k"), projected("v"), config.headCount, config.kvHeadCount);
      const middle = tape.add(x, tape.linear(mixed, weight("self_attn.o_proj.weight")));
      const second = tape.rmsNorm(middle, weight("post_attention_layernorm.weight"), epsilon);
      const gate = tape.linear(second, weight("mlp.gate_proj.weight"));
      const up = tape.linear(second, weight("mlp.up_proj.weight"));
      x = tape.add(middle, tape.linear(tape.swiglu(gate, up), weight("mlp.down_proj.weight")));
    }
    return tape.rmsNorm(x, this.tensor("model.norm.weight"), epsilon);
  }

  forward(sequences: readonly ReferenceSequence[], temperature = 1): ReferencePass {
    const tape = new Tape();
    const logprobs: number[] = [];
    const entropies: number[] = [];
    const sources: Source[] = [];
    for (const { ids, scored } of sequences) {
      if (ids.length < 2) continue;
      const inputs = Array.from(ids).slice(0, -1);
      const targets = Array.from(ids).slice(1);
      const passed = tape.logProbs(this.logits(inputs, tape), targets, { temperature, vocabulary: this.vocabulary });
      for (let row = 0; row < inputs.length; row++) {
        if (at(scored, row + 1) === 0) continue;
        logprobs.push(at(passed.logprobs.data, row));
        entropies.push(at(passed.entropies, row));
        sources.push({ matrix: passed.logprobs, row });
      }
    }
    return {
      logprobs,
      entropies,
      backward: (coefficients) => this.backward(tape, sources, coefficients),
    };
  }

  /** Values of the states before the scored tokens. */
  values(sequences: readonly ReferenceSequence[]): ReferenceValues {
    const tape = new Tape();
    const sources: Source[] = [];
    for (const { ids, scored } of sequences) {
      if (ids.length < 2) continue;
      const matrix = tape.linear(this.normed(Array.from(ids).slice(0, -1), tape), this.tensor("score.weight"));
      for (let row = 0; row < matrix.rows; row++) if (at(scored, row + 1) !== 0) sources.push({ matrix, row });
    }
    return {
      values: sources.map(({ matrix, row }) => at(matrix.data, row)),
      backward: (coefficients) => this.backward(tape, sources, coefficients),
    };
  }

  private backward(tape: Tape, sources: readonly Source[], coefficients: ArrayLike<number>): Map<string, Float64Array> {
    for (const parameter of this.parameters.values()) parameter.gradient.fill(0);
    sources.forEach(({ matrix, row }, index) => {
      matrix.gradient[row] = at(coefficients, index);
    });
    tape.backward();
    return new Map([...this.parameters].map(([name, { gradient }]) => [name, gradient.slice()]));
  }

  private tensor(name: string): Matrix {
    const found = this.parameters.get(name);
    if (found === undefined) throw new Error(`the reference model has no ${name}`);
    return found;
  }
}

/** Angle per position of each pair: theta^(-2i / headDim), with linear or Llama 3.1 scaling by wavelength. */
function rotaryFrequencies(config: ModelConfig): number[] {
  const scaling = config.ropeScaling;
  return Array.from({ length: config.headDim / 2 }, (_, i) => {
    const frequency = 1 / config.ropeTheta ** ((2 * i) / config.headDim);
    if (scaling === undefined) return frequency;
    if (scaling.type === "linear") return frequency / scaling.factor;
    if (scaling.type !== "llama3") throw new Error(`the reference has no ${scaling.type} scaling`);
    const { factor, originalMaxPositions, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > originalMaxPositions / low) return frequency / factor;
    if (wavelength < originalMaxPositions / high) return frequency;
    const smooth = (originalMaxPositions / wavelength - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}
