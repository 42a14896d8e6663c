/**
 * Trajectories in the shape of the training passes: prompt and completion as one sequence, scored where the policy
 * sampled.
 */
import { must } from "../base/must";
import { microBatches } from "../model/micro-batches";
import type { ScoringPass, TrainingSequence } from "../model/policy-pass";
import type { GradedTrajectory, Group } from "../session/collect";

/** A trajectory as one sequence. `ids` and `scored` cover prompt and completion. */
export interface PolicySequence extends TrainingSequence {
  /** Of the trajectory. */
  readonly id: number;
  /** As the sampler recorded them, one per sampled token. */
  readonly sampledLogprobs: Float32Array;
}

/** Values by trajectory id, one per sampled token. */
export type PerToken = ReadonlyMap<number, Float32Array>;

/** The trajectories of all groups, in order. */
export function sequencesOf(groups: readonly Group[]): PolicySequence[] {
  return groups.flat().map(({ trajectory }) => sequenceOf(trajectory));
}

export function sequenceOf(trajectory: GradedTrajectory["trajectory"]): PolicySequence {
  const { id, promptIds, ids: completion, mask, logprobs } = trajectory;
  const ids = new Uint32Array(promptIds.length + completion.length);
  ids.set(promptIds);
  ids.set(completion, promptIds.length);
  const scored = new Uint8Array(ids.length);
  scored.set(mask, promptIds.length);
  return { id, ids, scored, sampledLogprobs: logprobs.filter((_, t) => mask[t] === 1) };
}

/** Log-probs of the sampled tokens by the model behind `pass`, in micro-batches. */
export function logprobsOf(
  pass: ScoringPass,
  sequences: readonly PolicySequence[],
  temperature: number,
): Promise<PerToken> {
  return perToken(sequences, pass, async (batch) => (await pass.forward(batch, temperature)).logprobs);
}

/** Cuts what `compute` gives for the scored tokens of a micro-batch into its trajectories. */
export async function perToken(
  sequences: readonly PolicySequence[],
  pass: Pick<ScoringPass, "fits">,
  compute: (batch: readonly PolicySequence[]) => Promise<Float32Array>,
): Promise<PerToken> {
  const values = new Map<number, Float32Array>();
  for (const batch of microBatches(sequences, pass)) {
    const all = await compute(batch);
    let at = 0;
    for (const { id, sampledLogprobs } of batch) {
      values.set(id, all.slice(at, at + sampledLogprobs.length));
      at += sampledLogprobs.length;
    }
  }
  return values;
}

/** The values of one trajectory. @throws Error when there are none */
export function ofTrajectory<Values>(values: ReadonlyMap<number, Values>, id: number, what: string): Values {
  return must(values.get(id), `${what} of trajectory ${id}`);
}
