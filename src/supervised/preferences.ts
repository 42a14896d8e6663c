/**
 * Direct preference optimization: the log-prob that the reference gives each answer, and one update on pairs of
 * answers.
 */
import type { AdamWStep } from "../../kernels/adamw";
import { at, must } from "../base/must";
import { countScored } from "../model/micro-batches";
import type { Optimizer } from "../model/optimizer";
import type { ScoringPass, TrainingPass } from "../model/policy-pass";
import type { TrainingSequence } from "../model/sequences";
import { type PreferenceOptions, preferenceLoss } from "../rl/preference";
import type { Pair } from "./examples";

/** Log-probs of the answers of pairs that fit a pass together, by the model that training began with. */
export type Reference = (pairs: readonly Pair[]) => Promise<readonly PairLogprobs[]>;

/** Sums over the scored tokens. */
interface PairLogprobs {
  readonly chosen: number;
  readonly rejected: number;
}

/** Figures of a batch of pairs. */
export interface PreferenceResult {
  readonly loss: number;
  readonly chosenReward: number;
  readonly rejectedReward: number;
  /** Share of the pairs whose chosen answer has the higher implicit reward. */
  readonly accuracy: number;
}

/** The pass's model as the reference. Sums are kept: the reference does not change. */
export function referenceOf(pass: ScoringPass): Reference {
  const known = new WeakMap<Pair, PairLogprobs>();
  return async (pairs) => {
    const fresh = pairs.filter((pair) => !known.has(pair));
    if (fresh.length > 0) {
      const { logprobs } = await pass.forward(answersOf(fresh), 1);
      for (const { pair, chosen, rejected } of logprobsByPair(fresh, logprobs))
        known.set(pair, { chosen: total(chosen), rejected: total(rejected) });
    }
    return pairs.map((pair) => must(known.get(pair), "the reference of a pair"));
  };
}

/**
 * One update on the mean loss of `pairs`. A gradient that is not finite changes nothing and is returned as the norm.
 */
export async function preferenceStep(
  pass: TrainingPass,
  optimizer: Optimizer,
  reference: Reference,
  pairs: readonly Pair[],
  options: PreferenceOptions,
  settings: Omit<AdamWStep, "step">,
): Promise<PreferenceResult & { readonly gradNorm: number }> {
  pass.clearGradients();
  const result = await preferenceFigures(pass, reference, pairs, options, {
    onCoefficients: (coefficients) => pass.backward(coefficients),
  });
  return { ...result, gradNorm: await optimizer.update(pass.gradients, settings) };
}

/**
 * Mean loss and rewards of pairs.
 *
 * @param onCoefficients is given the derivative of the mean loss by each scored token's log-prob, micro-batch by
 * micro-batch
 * @throws the signal's reason between two micro-batches, once it is aborted
 */
export async function preferenceFigures(
  pass: TrainingPass,
  reference: Reference,
  pairs: readonly Pair[],
  options: PreferenceOptions,
  {
    onCoefficients,
    signal,
  }: { onCoefficients?(coefficients: Float32Array): void; signal?: AbortSignal | undefined } = {},
): Promise<PreferenceResult> {
  const sums = { loss: 0, chosenReward: 0, rejectedReward: 0, accuracy: 0 };
  for (const batch of pairBatches(pairs, pass)) {
    signal?.throwIfAborted();
    const references = await reference(batch);
    const { logprobs } = await pass.forward(answersOf(batch), 1);
    const coefficients = new Float32Array(logprobs.length);
    for (const [index, { pair, chosen, rejected, begin }] of logprobsByPair(batch, logprobs).entries()) {
      const base = at(references, index);
      const loss = preferenceLoss(
        {
          chosen: total(chosen),
          rejected: total(rejected),
          referenceChosen: base.chosen,
          referenceRejected: base.rejected,
        },
        pair.gap,
        chosen.length,
        options,
      );
      const middle = begin + chosen.length;
      coefficients.fill(loss.chosenCoefficient / pairs.length, begin, middle);
      coefficients.fill(loss.rejectedCoefficient / pairs.length, middle, middle + rejected.length);
      sums.loss += loss.loss / pairs.length;
      sums.chosenReward += loss.chosenReward / pairs.length;
      sums.rejectedReward += loss.rejectedReward / pairs.length;
      if (loss.chosenReward > loss.rejectedReward) sums.accuracy += 1 / pairs.length;
    }
    onCoefficients?.(coefficients);
  }
  return sums;
}

function answersOf(pairs: readonly Pair[]): TrainingSequence[] {
  return pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]);
}

/**
 * The scored tokens' log-probs of a pass over {@link answersOf} `pairs`, answer by answer; `begin` is where those of
 * the chosen one begin.
 */
function logprobsByPair(pairs: readonly Pair[], logprobs: Float32Array) {
  let end = 0;
  return pairs.map((pair) => {
    const begin = end;
    const middle = begin + countScored([pair.chosen]);
    end = middle + countScored([pair.rejected]);
    return { pair, begin, chosen: logprobs.subarray(begin, middle), rejected: logprobs.subarray(middle, end) };
  });
}

function total(logprobs: Float32Array): number {
  return logprobs.reduce((sum, logprob) => sum + logprob, 0);
}

/** Both answers of a pair are in one micro-batch, for its loss couples them. */
function* pairBatches(pairs: readonly Pair[], pass: Pick<TrainingPass, "fits">): Generator<Pair[]> {
  let current: Pair[] = [];
  let rows = 0;
  for (const pair of pairs) {
    const added = pair.chosen.ids.length + pair.rejected.ids.length - 2;
    if (current.length > 0 && !pass.fits(2 * (current.length + 1), rows + added)) {
      yield current;
      current = [];
      rows = 0;
    }
    current.push(pair);
    rows += added;
  }
  if (current.length > 0) yield current;
}
