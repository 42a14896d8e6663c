/** One number per sampled token of each trajectory, computed in micro-batches. */

import { microBatches } from "../model/micro-batches";
import type { TrainingSequence } from "../model/policy-pass";
import type { ScoringPass } from "./reference";

/** A trajectory in the shape of the passes. */
export interface Sample extends TrainingSequence {
  readonly id: number;
  /** Of each sampled token. */
  readonly sampledLogprobs: Float32Array;
}

/** By sample id, one entry per sampled token. */
export type PerSample = ReadonlyMap<number, Float32Array>;

/** Log-probs of the samples' tokens by the model behind `pass`. */
export function logprobsOf(pass: ScoringPass, samples: readonly Sample[], temperature: number): Promise<PerSample> {
  return perSample(samples, pass, async (batch) => (await pass.forward(batch, temperature)).logprobs);
}

/** Cuts what `compute` gives for the scored tokens of a micro-batch into its samples. */
export async function perSample(
  samples: readonly Sample[],
  pass: Pick<ScoringPass, "fits">,
  compute: (batch: readonly Sample[]) => Promise<Float32Array>,
): Promise<PerSample> {
  const values = new Map<number, Float32Array>();
  for (const batch of microBatches(samples, pass)) {
    const all = await compute(batch);
    let at = 0;
    for (const { id, sampledLogprobs } of batch) {
      values.set(id, all.slice(at, at + sampledLogprobs.length));
      at += sampledLogprobs.length;
    }
  }
  return values;
}
