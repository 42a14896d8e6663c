/** The gradient of an optimizer batch, micro-batch by micro-batch, with the figures of its loss. */

import { microBatches } from "../model/micro-batches";
import type { TrainOptions } from "../options/train";
import { importanceWeights } from "../rl/importance";
import { trajectoryLoss } from "../rl/objective";
import { addTotals, emptyTotals, type ObjectiveTotals } from "../rl/totals";
import type { Before } from "./before";
import type { Learner } from "./learner";
import { importanceOptions, lossOptions } from "./loss-settings";
import type { WeightedSample } from "./optimizer-batch";
import type { TokenValues } from "./skipped-update";

export interface Accumulated {
  readonly totals: ObjectiveTotals;
  readonly entropySum: number;
  readonly sampled: readonly number[];
  readonly trained: readonly number[];
  /** Of the correction for the sampler, one per token. */
  readonly weights: readonly number[];
  readonly tokens: readonly TokenValues[];
  /** Whether all log-probs are finite; otherwise there is no gradient. */
  readonly isSound: boolean;
  /** Of a critic on the policy's trunk. */
  readonly value: { readonly loss: number; readonly clipped: number; readonly tokens: number } | undefined;
}

/** Accumulates the gradient of an optimizer batch over its micro-batches. @param isForwardOnly for the figures alone, while the policy waits for its critic */
export async function accumulate(
  { pass, kl, critic }: Learner,
  samples: readonly WeightedSample[],
  before: Before,
  options: TrainOptions,
  isForwardOnly: boolean,
  onProgress: (done: number, total: number) => void,
): Promise<Accumulated> {
  const settings = lossOptions(options, kl.coefficient);
  const correction = importanceOptions(options);
  const batches = [...microBatches(samples, pass)];
  pass.clearGradients();
  let totals = emptyTotals();
  let entropySum = 0;
  const sampled: number[] = [];
  const trained: number[] = [];
  const weights: number[] = [];
  const tokens: TokenValues[] = [];
  let isSound = true;
  for (const [index, batch] of batches.entries()) {
    const { logprobs, entropies } = await pass.forward(batch, options.temperature);
    const coefficients = new Float32Array(logprobs.length);
    const entropyCoefficients = new Float32Array(logprobs.length);
    let at = 0;
    for (const sample of batch) {
      const [begin, end] = [at, at + sample.sampledLogprobs.length];
      const own = logprobs.subarray(begin, end);
      const values = {
        id: sample.id,
        logprobs: own,
        sampledLogprobs: sample.sampledLogprobs,
        entropies: entropies.subarray(begin, end),
        advantages: sample.advantages,
      };
      at = end;
      if (!own.every(Number.isFinite)) {
        isSound = false;
        tokens.push({ ...values, coefficients: [] });
        continue;
      }
      const oldLogprobs = before.old.get(sample.id) ?? sample.sampledLogprobs;
      const importance = correction && importanceWeights(oldLogprobs, sample.sampledLogprobs, correction);
      const referenceLogprobs = before.reference?.get(sample.id);
      const loss = trajectoryLoss(
        {
          logprobs: own,
          oldLogprobs,
          advantages: sample.advantages,
          weight: sample.weight,
          entropies: values.entropies,
          ...(importance && { importance }),
          ...(referenceLogprobs && { referenceLogprobs }),
        },
        settings,
      );
      coefficients.set(loss.coefficients, begin);
      entropyCoefficients.set(loss.entropyCoefficients, begin);
      tokens.push({ ...values, coefficients: loss.coefficients });
      totals = addTotals(totals, loss.totals);
      for (const logprob of sample.sampledLogprobs) sampled.push(logprob);
      for (const logprob of own) trained.push(logprob);
      for (const weight of importance ?? []) weights.push(weight);
    }
    for (const entropy of entropies) entropySum += entropy;
    if (!isForwardOnly) {
      if (options.entropyCoefficient === 0) pass.backward(coefficients);
      else pass.backward(coefficients, entropyCoefficients);
    }
    onProgress(index + 1, batches.length);
  }
  const value =
    critic?.own === undefined && before.values !== undefined
      ? await critic?.accumulate(samples, before.values, ({ weight }) => options.vfCoef * weight)
      : undefined;
  return { totals, entropySum, sampled, trained, weights, tokens, isSound, value };
}
