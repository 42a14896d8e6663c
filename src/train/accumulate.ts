/**
 * The gradient of an optimizer batch, micro-batch by micro-batch: forward, loss, one coefficient dL/dl_t per token,
 * backward.
 */
import { must } from "../base/must";
import { microBatches } from "../model/micro-batches";
import type { TrainOptions } from "../options/train";
import { importanceWeights } from "../rl/importance";
import { addTotals, emptyTotals, type ObjectiveTotals, trajectoryLoss } from "../rl/objective";
import type { ValueLossSums } from "./critic";
import type { Learner } from "./learner";
import type { WeightedSequence } from "./optimizer-batches";
import { importanceOptions, lossOptions } from "./settings";
import type { TokenValues } from "./skipped-update";
import { ofTrajectory, type PerToken } from "./trajectories";

/** What the tokens of a batch are under the models of a run before anything changes. */
export interface TokensBefore {
  /** l_old. */
  readonly old: PerToken;
  /** l_ref. */
  readonly reference: PerToken | undefined;
  /** V. */
  readonly values: PerToken | undefined;
}

/** V of every token. @throws Error when the run has no critic */
export function criticValues({ values }: TokensBefore): PerToken {
  return must(values, "the critic's values");
}

/** The gradient of an optimizer batch, which lies in the pass, and the figures of its loss. */
export interface Accumulated {
  readonly totals: ObjectiveTotals;
  readonly entropySum: number;
  /** Of every token, as the sampler recorded it and as the training pass computes it. */
  readonly sampledLogprobs: readonly number[];
  readonly trainedLogprobs: readonly number[];
  /** Of the correction for the sampler, one per token. */
  readonly importanceWeights: readonly number[];
  readonly tokens: readonly TokenValues[];
  /** Whether all log-probs are finite; otherwise there is no gradient. */
  readonly isSound: boolean;
  /** Of a critic on the policy's trunk. */
  readonly value: ValueLossSums | undefined;
}

/**
 * Accumulates the gradient of an optimizer batch, micro-batch by micro-batch.
 *
 * @param isForwardOnly for the figures alone, while the policy waits for its critic
 */
export async function accumulate(
  { pass, kl, critic }: Learner,
  sequences: readonly WeightedSequence[],
  before: TokensBefore,
  options: TrainOptions,
  isForwardOnly: boolean,
  onProgress: (done: number, total: number) => void,
): Promise<Accumulated> {
  const settings = lossOptions(options, kl.coefficient);
  const correction = importanceOptions(options);
  const batches = [...microBatches(sequences, pass)];
  pass.clearGradients();
  let totals = emptyTotals();
  let entropySum = 0;
  const sampledLogprobs: number[] = [];
  const trainedLogprobs: number[] = [];
  const weights: number[] = [];
  const tokens: TokenValues[] = [];
  let isSound = true;
  for (const [index, batch] of batches.entries()) {
    const { logprobs, entropies } = await pass.forward(batch, options.temperature);
    const coefficients = new Float32Array(logprobs.length);
    const entropyCoefficients = new Float32Array(logprobs.length);
    let end = 0;
    for (const sequence of batch) {
      const begin = end;
      end = begin + sequence.sampledLogprobs.length;
      const own = logprobs.subarray(begin, end);
      const values = {
        id: sequence.id,
        logprobs: own,
        sampledLogprobs: sequence.sampledLogprobs,
        entropies: entropies.subarray(begin, end),
        advantages: sequence.advantages,
      };
      if (!own.every(Number.isFinite)) {
        isSound = false;
        tokens.push({ ...values, coefficients: [] });
        continue;
      }
      const oldLogprobs = ofTrajectory(before.old, sequence.id, "old log-probs");
      const importance = correction && importanceWeights(oldLogprobs, sequence.sampledLogprobs, correction);
      const referenceLogprobs = before.reference && ofTrajectory(before.reference, sequence.id, "reference log-probs");
      const loss = trajectoryLoss(
        {
          logprobs: own,
          oldLogprobs,
          advantages: sequence.advantages,
          weight: sequence.weight,
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
      for (const logprob of sequence.sampledLogprobs) sampledLogprobs.push(logprob);
      for (const logprob of own) trainedLogprobs.push(logprob);
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
    critic !== undefined && critic.own === undefined
      ? await critic.accumulate(sequences, criticValues(before), ({ weight }) => options.vfCoef * weight)
      : undefined;
  return {
    totals,
    entropySum,
    sampledLogprobs,
    trainedLogprobs,
    importanceWeights: weights,
    tokens,
    isSound,
    value,
  };
}
