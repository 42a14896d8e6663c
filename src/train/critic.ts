/** The critic of a run: what gives values, and learns returns. */

import { mean } from "../base/statistics";
import { microBatches } from "../model/micro-batches";
import type { Model } from "../model/model";
import type { Optimizer } from "../model/optimizer";
import type { ValuePass } from "../model/value-pass";
import type { TrainOptions } from "../options/train";
import { explainedVariance, valueLoss } from "../rl/value-loss";
import { rateOfStep, updateSettings } from "../session/adamw-settings";
import { equalParts, type WeightedSample } from "./optimizer-batch";
import { type PerSample, perSample, type Sample } from "./sample-values";

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

interface LossSums {
  /** Of every token with weight 1. */
  loss: number;
  clipped: number;
  tokens: number;
}

export class Critic {
  /** @param own model and optimizer of a separate critic; one that shares the policy's trunk is changed with the policy */
  constructor(
    readonly pass: ValuePass,
    readonly own: { readonly model: Model; readonly optimizer: Optimizer } | undefined,
    private readonly options: TrainOptions,
  ) {}

  /** V of the state before each sampled token. */
  values(samples: readonly Sample[]): Promise<PerSample> {
    return perSample(samples, this.pass, (batch) => this.pass.forward(batch));
  }

  /**
   * Adds the gradient of the value loss of `samples` to the pass's gradients, each token with the weight that `weightOf` gives.
   * @param before the values that the returns were made with
   */
  async accumulate(
    samples: readonly WeightedSample[],
    before: PerSample,
    weightOf: (sample: WeightedSample) => number,
    sums: LossSums = { loss: 0, clipped: 0, tokens: 0 },
  ): Promise<LossSums> {
    for (const batch of microBatches(samples, this.pass)) {
      const values = await this.pass.forward(batch);
      const coefficients = new Float32Array(values.length);
      let at = 0;
      for (const sample of batch) {
        const end = at + sample.sampledLogprobs.length;
        const {
          coefficients: own,
          loss,
          clipped,
        } = valueLoss(
          {
            values: values.subarray(at, end),
            oldValues: before.get(sample.id) ?? new Float32Array(),
            returns: sample.returns ?? new Float64Array(),
            weight: weightOf(sample),
          },
          this.options.cliprangeValue,
        );
        coefficients.set(own, at);
        sums.loss += loss / weightOf(sample);
        sums.clipped += clipped;
        sums.tokens += end - at;
        at = end;
      }
      this.pass.backward(coefficients);
    }
    return sums;
  }

  /** The updates of a separate critic on a rollout batch: `--critic-mini-batches` of them, each a mean over the tokens of its part. @returns what they did */
  async update(samples: readonly WeightedSample[], before: PerSample, step: number): Promise<CriticResult> {
    const { criticMiniBatches, criticLearningRate } = this.options;
    const settings = updateSettings(this.options, rateOfStep(this.options, criticLearningRate, step));
    const norms: number[] = [];
    const sums: LossSums = { loss: 0, clipped: 0, tokens: 0 };
    if (this.own !== undefined)
      for (const part of equalParts(samples, criticMiniBatches)) {
        const tokens = part.reduce((sum, { sampledLogprobs }) => sum + sampledLogprobs.length, 0);
        this.pass.clearGradients();
        await this.accumulate(part, before, () => 1 / tokens, sums);
        norms.push(await this.own.optimizer.update(this.pass.gradients, settings));
      }
    return { ...criticFigures(samples, before, sums), gradNorm: norms.length === 0 ? null : mean(norms) };
  }
}

/** @param sums of the value loss, every token counted once */
export function criticFigures(
  samples: readonly WeightedSample[],
  before: PerSample,
  sums: LossSums,
): Omit<CriticResult, "gradNorm"> {
  const values = samples.flatMap(({ id }) => Array.from(before.get(id) ?? []));
  const returns = samples.flatMap((sample) => Array.from(sample.returns ?? []));
  const tokens = Math.max(1, sums.tokens);
  return {
    loss: sums.loss / tokens,
    clipped: sums.clipped / tokens,
    valueMean: mean(values, 0),
    returnMean: mean(returns, 0),
    explainedVariance: explainedVariance(values, returns),
  };
}
