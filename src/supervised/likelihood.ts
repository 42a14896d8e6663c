/** Maximum likelihood: the scored tokens of sequences, be they documents or answers to prompts. */
import type { AdamWStep } from "../../kernels/adamw";
import { countScored, microBatches } from "../model/micro-batches";
import type { Optimizer } from "../model/optimizer";
import type { TokenStatistics, TrainingPass, TrainingSequence } from "../model/policy-pass";

/** Figures of scored tokens. */
export interface Likelihood {
  /** Mean negative log-likelihood per scored token, in nats. */
  readonly loss: number;
  /** Share of the scored tokens that are the most probable ones at their place. */
  readonly accuracy: number;
  /** Number of scored tokens. */
  readonly tokens: number;
}

/** One update on `batch`. A gradient that is not finite changes nothing and is returned as the norm. */
export async function likelihoodStep(
  pass: TrainingPass,
  optimizer: Optimizer,
  batch: readonly TrainingSequence[],
  settings: Omit<AdamWStep, "step">,
): Promise<Likelihood & { readonly gradNorm: number }> {
  const tokens = countScored(batch);
  pass.clearGradients();
  const forwards: Promise<TokenStatistics>[] = [];
  for (const sequences of microBatches(batch, pass)) {
    // The coefficients do not depend on the log-probs, so the backward pass is recorded before they are back.
    forwards.push(pass.forward(sequences, 1));
    pass.backward(new Float32Array(countScored(sequences)).fill(-1 / tokens));
  }
  const gradNorm = await optimizer.update(pass.gradients, settings);
  return { ...figures(await Promise.all(forwards), tokens), gradNorm };
}

/**
 * The figures of sequences, without training on them.
 *
 * @throws the signal's reason between two micro-batches, once it is aborted
 */
export async function likelihood(
  pass: TrainingPass,
  sequences: readonly TrainingSequence[],
  signal?: AbortSignal,
): Promise<Likelihood> {
  const forwards: TokenStatistics[] = [];
  for (const micro of microBatches(sequences, pass)) {
    signal?.throwIfAborted();
    forwards.push(await pass.forward(micro, 1));
  }
  return figures(forwards, countScored(sequences));
}

function figures(forwards: readonly TokenStatistics[], tokens: number): Likelihood {
  const total = (of: (statistics: TokenStatistics) => Iterable<number>) =>
    sum(forwards.map((statistics) => sum(of(statistics))));
  return {
    loss: -total(({ logprobs }) => logprobs) / tokens,
    accuracy: total(({ greedy }) => greedy) / tokens,
    tokens,
  };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
