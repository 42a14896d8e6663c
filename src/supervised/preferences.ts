/** From rows to pairs of sequences, and one update on pairs. */
import type { AdamWStep } from "../../kernels/optimizer";
import { UserError } from "../base/errors";
import { countScored } from "../model/micro-batches";
import type { Optimizer } from "../model/optimizer";
import type { TrainingPass, TrainingSequence } from "../model/policy-pass";
import type { SequenceScorer } from "../model/sequence-scorer";
import { type PreferenceOptions, preferenceLoss } from "../rl/preference";
import type { ChatMessage } from "../text/chat-template";
import { isRecord, type LocatedRow, messagesOf, toolsOf } from "./json-lines";
import { type ExampleContext, join, promptAndCompletion } from "./sft-examples";

/** A prompt with a preferred answer and with a rejected one. Only the answers are scored. */
export interface Pair {
  readonly chosen: TrainingSequence;
  readonly rejected: TrainingSequence;
  /** Reward of the chosen answer minus that of the rejected one. */
  readonly gap: number;
}

/** Log-prob of a sequence's scored tokens by the model that training began with. */
export type Reference = (sequence: TrainingSequence) => Promise<number>;

/** Figures of a batch of pairs. */
export interface PreferenceResult {
  readonly loss: number;
  readonly chosenReward: number;
  readonly rejectedReward: number;
  /** Share of the pairs whose chosen answer has the higher implicit reward. */
  readonly accuracy: number;
}

/**
 * The pair of a row: `{prompt, chosen, rejected}` in texts, or `{messages, chosen_response, rejected_response}` with `tools` or without (When2Call).
 * `chosen_reward` and `rejected_reward` give the gap, which is 1 without them.
 * @throws UserError naming file, line and what is wrong
 */
export function pairOf({ where, row }: LocatedRow, context: ExampleContext): Pair {
  const answers =
    "messages" in row
      ? [row.chosen_response, row.rejected_response].map((answer) => answered(row, answer, where, context))
      : [row.chosen, row.rejected].map((answer) => {
          if (typeof row.prompt === "string" && typeof answer === "string")
            return promptAndCompletion(context.tokenizer, context.frame.frame(row.prompt), answer);
          throw new UserError(
            `${where}: expected {"prompt": text, "chosen": text, "rejected": text} or {"messages": [...], "chosen_response": ..., "rejected_response": ...}; its columns are ${Object.keys(row).join(", ")}`,
          );
        });
  const [chosen, rejected] = answers;
  if (chosen === undefined || rejected === undefined) throw new Error("a pair has two answers");
  const { chosen_reward: better = 1, rejected_reward: worse = 0 } = row;
  if (typeof better !== "number" || typeof worse !== "number")
    throw new UserError(`${where}: chosen_reward and rejected_reward must be numbers, both or neither`);
  return { chosen, rejected, gap: better - worse };
}

/** The conversation with an answer, of which only the answer is scored. */
function answered(
  row: LocatedRow["row"],
  answer: unknown,
  where: string,
  { tokenizer, chat }: ExampleContext,
): TrainingSequence {
  const content = isRecord(answer) ? answer.content : answer;
  if (typeof content !== "string")
    throw new UserError(`${where}: chosen_response and rejected_response must be texts, or messages with content`);
  if (chat === undefined)
    throw new UserError(
      `${where}: has messages, and the model has no chat template; use rows of prompt, chosen, rejected`,
    );
  const messages = messagesOf(row.messages, where);
  const tools = toolsOf(row.tools, where);
  const reply: ChatMessage = { role: "assistant", content };
  const settings = tools === undefined ? {} : { tools };
  const opened = chat.render(messages, { ...settings, addGenerationPrompt: true });
  const closed = chat.render([...messages, reply], { ...settings, addGenerationPrompt: false }).trimEnd();
  if (!closed.startsWith(opened))
    throw new UserError(`${where}: the model's chat template writes the conversation otherwise once it is answered`);
  return join([
    { ids: tokenizer.encode(opened), scored: false },
    { ids: tokenizer.encode(closed.slice(opened.length)), scored: true },
  ]);
}

/** The scorer's model as the reference. Sums are kept: the reference does not change. */
export function referenceOf(scorer: SequenceScorer): Reference {
  const known = new WeakMap<TrainingSequence, number>();
  return async (sequence) => {
    const before = known.get(sequence);
    if (before !== undefined) return before;
    const logprobs = await scorer.logprobs(sequence.ids);
    const sum = logprobs.reduce((total, logprob, t) => total + (sequence.scored[t] === 0 ? 0 : logprob), 0);
    known.set(sequence, sum);
    return sum;
  };
}

/** One update on the mean loss of `pairs`. A gradient that is not finite changes nothing and is returned as the norm. */
export async function preferenceStep(
  pass: TrainingPass,
  optimizer: Optimizer,
  reference: Reference,
  pairs: readonly Pair[],
  options: PreferenceOptions,
  settings: Omit<AdamWStep, "step">,
): Promise<PreferenceResult & { readonly gradNorm: number }> {
  pass.clearGradients();
  const result = await preferenceFigures(pass, reference, pairs, options, (coefficients) =>
    pass.backward(coefficients),
  );
  return { ...result, gradNorm: await optimizer.update(pass.gradients, settings) };
}

/**
 * Mean loss and rewards of pairs.
 * @param onCoefficients is given the derivative of the mean loss by each scored token's log-prob, micro-batch by micro-batch
 */
export async function preferenceFigures(
  pass: TrainingPass,
  reference: Reference,
  pairs: readonly Pair[],
  options: PreferenceOptions,
  onCoefficients: (coefficients: Float32Array) => void = () => {},
): Promise<PreferenceResult> {
  const total = { loss: 0, chosenReward: 0, rejectedReward: 0, accuracy: 0 };
  for (const batch of pairBatches(pairs, pass)) {
    const references: [number, number][] = [];
    for (const { chosen, rejected } of batch) references.push([await reference(chosen), await reference(rejected)]);
    const { logprobs } = await pass.forward(
      batch.flatMap(({ chosen, rejected }) => [chosen, rejected]),
      1,
    );
    const coefficients = new Float32Array(logprobs.length);
    let at = 0;
    for (const [index, { chosen, rejected, gap }] of batch.entries()) {
      const [referenceChosen, referenceRejected] = references[index] ?? [Number.NaN, Number.NaN];
      const middle = at + countScored([chosen]);
      const end = middle + countScored([rejected]);
      const sum = (from: number, to: number) => logprobs.subarray(from, to).reduce((sum, logprob) => sum + logprob, 0);
      const loss = preferenceLoss(
        { chosen: sum(at, middle), rejected: sum(middle, end), referenceChosen, referenceRejected },
        gap,
        middle - at,
        options,
      );
      coefficients.fill(loss.chosenCoefficient / pairs.length, at, middle);
      coefficients.fill(loss.rejectedCoefficient / pairs.length, middle, end);
      at = end;
      total.loss += loss.loss / pairs.length;
      total.chosenReward += loss.chosenReward / pairs.length;
      total.rejectedReward += loss.rejectedReward / pairs.length;
      if (loss.chosenReward > loss.rejectedReward) total.accuracy += 1 / pairs.length;
    }
    onCoefficients(coefficients);
  }
  return total;
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
