/** What the tokens of a batch are under the models of a run before anything changes. */
import { UserError } from "../base/errors";
import type { TrainOptions } from "../options/train";
import type { Learner } from "./learner";
import { importanceOptions } from "./loss-settings";
import { logprobsOf, type PerSample, type Sample } from "./sample-values";

export interface Before {
  /** l_old. */
  readonly old: PerSample;
  /** l_ref. */
  readonly reference: PerSample | undefined;
  /** V. */
  readonly values: PerSample | undefined;
}

/**
 * l_old is what the sampler recorded, unless a correction for it is asked for: then what the trainer computes before the first update, so that the correction has
 * two policies to compare.
 */
export async function valuesBefore(
  { pass, reference, critic }: Learner,
  samples: readonly Sample[],
  options: TrainOptions,
): Promise<Before> {
  const before: Before = {
    old:
      importanceOptions(options) === undefined
        ? new Map(samples.map(({ id, sampledLogprobs }) => [id, sampledLogprobs]))
        : await logprobsOf(pass, samples, options.temperature),
    reference: reference && (await logprobsOf(reference, samples, options.temperature)),
    values: await critic?.values(samples),
  };
  refuseBroken("the reference model's log-probs", before.reference);
  refuseBroken("the critic's values", before.values);
  return before;
}

/** Neither model can mend itself, so going on would only repeat it. */
function refuseBroken(what: string, values: PerSample | undefined): void {
  for (const [id, list] of values ?? [])
    if (!list.every(Number.isFinite))
      throw new UserError(
        `${what} of trajectory ${id} are not finite; go on from an earlier checkpoint with a smaller --learning-rate or --critic-learning-rate`,
      );
}

/** -beta (l_old - l_ref) of every sampled token: the KL penalty of PPO and REINFORCE++. */
export function klRewards({ old, reference }: Before, coefficient: number): ReadonlyMap<number, Float64Array> {
  return new Map(
    [...old].map(([id, logprobs]) => {
      const fixed = reference?.get(id) ?? new Float32Array();
      return [id, Float64Array.from(logprobs, (logprob, t) => -coefficient * (logprob - (fixed[t] ?? Number.NaN)))];
    }),
  );
}
