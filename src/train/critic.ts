/** The critic: gives the value of the state before each sampled token, and learns the returns. */
import { must } from "../base/must";
import { mean } from "../base/statistics";
import type { FolderReader, FolderWriter } from "../model/folder";
import { microBatches } from "../model/micro-batches";
import type { Model } from "../model/model";
import type { Optimizer } from "../model/optimizer";
import type { ValuePass } from "../model/value-pass";
import type { TrainOptions } from "../options/train";
import { explainedVariance, valueLoss } from "../rl/value-loss";
import { equalParts, type WeightedSequence } from "./optimizer-batches";
import { rateOfStep, updateSettings } from "./settings";
import { ofTrajectory, type PerToken, type PolicySequence, perToken } from "./trajectories";

/** Figures of the critic over a rollout batch. */
export interface CriticResult {
  /** Mean value loss per token. */
  readonly loss: number;
  /** Share of tokens whose loss was clipped. */
  readonly clipped: number;
  readonly valueMean: number;
  readonly returnMean: number;
  /** Of the returns by the values before the update; null where all returns are equal. */
  readonly explainedVariance: number | null;
  /** Of a separate critic: mean norm of its gradient over its updates. */
  readonly gradNorm: number | null;
}

/** Sums of the value loss over tokens. */
export interface ValueLossSums {
  /** Of every token with weight 1. */
  loss: number;
  clipped: number;
  tokens: number;
}

export class Critic {
  readonly pass: ValuePass;
  /** Model and optimizer of a separate critic; one that shares the policy's trunk is changed with the policy. */
  readonly own: { readonly model: Model; readonly optimizer: Optimizer } | undefined;
  readonly #options: TrainOptions;

  constructor(pass: ValuePass, own: Critic["own"], options: TrainOptions) {
    this.pass = pass;
    this.own = own;
    this.#options = options;
  }

  /** V of the state before each sampled token. */
  values(sequences: readonly PolicySequence[]): Promise<PerToken> {
    return perToken(sequences, this.pass, (batch) => this.pass.forward(batch));
  }

  /**
   * Adds the gradient of the value loss of `sequences` to the pass's gradients, each token with the weight that
   * `weightOf` gives.
   *
   * @param before the values that the returns were made with
   */
  async accumulate(
    sequences: readonly WeightedSequence[],
    before: PerToken,
    weightOf: (sequence: WeightedSequence) => number,
    sums: ValueLossSums = { loss: 0, clipped: 0, tokens: 0 },
  ): Promise<ValueLossSums> {
    for (const batch of microBatches(sequences, this.pass)) {
      const values = await this.pass.forward(batch);
      const coefficients = new Float32Array(values.length);
      let end = 0;
      for (const sequence of batch) {
        const begin = end;
        end = begin + sequence.sampledLogprobs.length;
        const {
          coefficients: own,
          loss,
          clipped,
        } = valueLoss(
          {
            values: values.subarray(begin, end),
            oldValues: ofTrajectory(before, sequence.id, "values"),
            returns: returnsOf(sequence),
            weight: weightOf(sequence),
          },
          this.#options.cliprangeValue,
        );
        coefficients.set(own, begin);
        sums.loss += loss / weightOf(sequence);
        sums.clipped += clipped;
        sums.tokens += end - begin;
      }
      this.pass.backward(coefficients);
    }
    return sums;
  }

  /**
   * The updates of a separate critic on a rollout batch: `--critic-mini-batches` of them, each a mean over the tokens
   * of its part.
   *
   * @throws Error when the critic shares the policy's trunk
   */
  async update(sequences: readonly WeightedSequence[], before: PerToken, step: number): Promise<CriticResult> {
    const { optimizer } = must(this.own, "the separate critic's model");
    const { criticMiniBatches, criticLearningRate } = this.#options;
    const settings = updateSettings(this.#options, rateOfStep(this.#options, criticLearningRate, step));
    const norms: number[] = [];
    const sums: ValueLossSums = { loss: 0, clipped: 0, tokens: 0 };
    for (const part of equalParts(sequences, criticMiniBatches)) {
      const tokens = part.reduce((sum, { sampledLogprobs }) => sum + sampledLogprobs.length, 0);
      this.pass.clearGradients();
      await this.accumulate(part, before, () => 1 / tokens, sums);
      norms.push(await optimizer.update(this.pass.gradients, settings));
    }
    return { ...criticFigures(sequences, before, sums), gradNorm: norms.length === 0 ? null : mean(norms) };
  }
}

/** @param sums of the value loss, every token counted once */
export function criticFigures(
  sequences: readonly WeightedSequence[],
  before: PerToken,
  sums: ValueLossSums,
): Omit<CriticResult, "gradNorm"> {
  const values = sequences.flatMap(({ id }) => Array.from(ofTrajectory(before, id, "values")));
  const returns = sequences.flatMap((sequence) => Array.from(returnsOf(sequence)));
  const tokens = Math.max(1, sums.tokens);
  return {
    loss: sums.loss / tokens,
    clipped: sums.clipped / tokens,
    valueMean: mean(values, 0),
    returnMean: mean(returns, 0),
    explainedVariance: explainedVariance(values, returns),
  };
}

function returnsOf({ id, returns }: WeightedSequence): Float64Array {
  return must(returns, `the return of trajectory ${id}`);
}

const PREFIX = "critic_";

/**
 * The files of a separate critic in a checkpoint: as those of a model of its own, with `critic_` before their names.
 */
export const criticFiles = {
  /** The critic's part of a folder as a folder. */
  reader(folder: FolderReader): FolderReader {
    return {
      path: folder.path,
      list: async () =>
        (await folder.list())?.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length)),
      open: (name) => folder.open(PREFIX + name),
    };
  },

  writer(writer: FolderWriter): FolderWriter {
    return { write: (name, content) => writer.write(PREFIX + name, content) };
  },
};
