/** From rows to sequences whose response tokens are scored. */

import { UserError } from "../base/errors";
import type { TrainingSequence } from "../model/policy-pass";
import type { ChatMessage, ChatTemplate } from "../text/chat-template";
import type { PromptTemplate } from "../text/templates";
import type { Tokenizer } from "../text/tokenizer";
import type { LocatedRow } from "./json-lines";
import { messagesOf, toolsOf } from "./json-lines";

/** What turns text into ids. */
export interface ExampleContext {
  readonly tokenizer: Tokenizer;
  /** Frame around the prompt of {prompt, completion} rows. */
  readonly frame: PromptTemplate;
  /** The model's own, which rows of messages need. */
  readonly chat: ChatTemplate | undefined;
}

/** A stretch of a text; only scored ones are learned. */
export interface Piece {
  readonly ids: ArrayLike<number>;
  readonly scored: boolean;
}

/**
 * The sequence of a row:
 * - `{prompt, completion}`: both texts; the completion and the end of text behind it are scored;
 * - `{messages}`, with `tools` or without: what the assistant says is scored, in every turn that the chat template leaves as it is when more turns follow;
 * - `{prompt_ids, ids, mask}`: a rollout record; what the model sampled is scored, what the tool wrote is not.
 * @throws UserError naming file, line and what is wrong
 */
export function exampleOf({ where, row }: LocatedRow, context: ExampleContext): TrainingSequence {
  if ("prompt_ids" in row) return recorded(row, where, context.tokenizer);
  if ("messages" in row) return join(conversation(row, where, context));
  const { prompt, completion } = row;
  if (typeof prompt !== "string" || typeof completion !== "string")
    throw new UserError(
      `${where}: expected {"prompt": text, "completion": text}, {"messages": [...]} or a rollout record; its columns are ${Object.keys(row).join(", ")}`,
    );
  return promptAndCompletion(context.tokenizer, context.frame.frame(prompt), completion);
}

/** A framed prompt and what is to be said to it, each encoded on its own, as a rollout would. */
export function promptAndCompletion(tokenizer: Tokenizer, prompt: string, completion: string): TrainingSequence {
  return join([
    { ids: tokenizer.encode(prompt), scored: false },
    { ids: tokenizer.encode(completion), scored: true },
    { ids: [tokenizer.eosId], scored: true },
  ]);
}

/** Pieces as one sequence. */
export function join(pieces: readonly Piece[]): TrainingSequence {
  const length = pieces.reduce((sum, { ids }) => sum + ids.length, 0);
  const ids = new Uint32Array(length);
  const scored = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    ids.set(piece.ids, at);
    if (piece.scored) scored.fill(1, at, at + piece.ids.length);
    at += piece.ids.length;
  }
  return { ids, scored };
}

/** The first `longest` tokens; undefined when none of them is to be learned. */
export function cut({ ids, scored }: TrainingSequence, longest: number): TrainingSequence | undefined {
  const kept = { ids: ids.subarray(0, longest), scored: scored.subarray(0, longest) };
  return kept.scored.subarray(1).some((bit) => bit !== 0) ? kept : undefined;
}

function conversation(row: LocatedRow["row"], where: string, { tokenizer, chat }: ExampleContext): Piece[] {
  const messages = messagesOf(row.messages, where);
  const tools = toolsOf(row.tools, where);
  if (chat === undefined)
    throw new UserError(
      `${where}: has messages, and the model has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json); use rows of prompt and completion`,
    );
  const render = (turns: readonly ChatMessage[], addGenerationPrompt: boolean) =>
    chat.render(turns, { addGenerationPrompt, ...(tools === undefined ? {} : { tools }) });
  const whole = render(messages, false);
  const pieces: Piece[] = [];
  let done = 0;
  for (const [index, { role }] of messages.entries()) {
    if (role !== "assistant") continue;
    const opened = render(messages.slice(0, index), true);
    // The line break behind the token that ends a turn is not for the model to write.
    const closed = render(messages.slice(0, index + 1), false).trimEnd();
    if (!closed.startsWith(opened) || !whole.startsWith(closed) || opened.length < done) continue;
    pieces.push({ ids: tokenizer.encode(whole.slice(done, opened.length)), scored: false });
    pieces.push({ ids: tokenizer.encode(closed.slice(opened.length)), scored: true });
    done = closed.length;
  }
  if (pieces.length === 0)
    throw new UserError(
      `${where}: has no turn of the assistant to learn; expected a message {"role": "assistant", ...}`,
    );
  return pieces;
}

function recorded(row: LocatedRow["row"], where: string, tokenizer: Tokenizer): TrainingSequence {
  const numbers = (name: string, below: number) => {
    const value = row[name];
    if (!Array.isArray(value) || value.some((id) => !Number.isInteger(id) || id < 0 || id >= below))
      throw new UserError(
        `${where}: ${name} of the rollout record is not a list of integers from 0 to ${below - 1}; was it made with another tokenizer?`,
      );
    return Uint32Array.from(value);
  };
  const prompt = numbers("prompt_ids", tokenizer.vocabularySize);
  const ids = numbers("ids", tokenizer.vocabularySize);
  const mask = numbers("mask", 2);
  if (mask.length !== ids.length)
    throw new UserError(`${where}: the rollout record has ${ids.length} ids and ${mask.length} bits of mask`);
  const sequence = join([
    { ids: prompt, scored: false },
    { ids, scored: false },
  ]);
  sequence.scored.set(mask, prompt.length);
  return sequence;
}

/** The reward that a rollout record says; undefined for other rows. */
export function rewardOf(row: Readonly<Record<string, unknown>>): number | undefined {
  return typeof row.reward === "number" ? row.reward : undefined;
}
