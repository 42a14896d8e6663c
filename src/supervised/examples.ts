/**
 * From rows to sequences whose response tokens are scored: answers to learn, pairs of answers to compare, documents
 * that are made.
 */

import { UserError } from "../base/errors";
import { isRecord, type JsonObject, type LocatedRow } from "../base/json";
import type { TrainingSequence } from "../model/policy-pass";
import type { NanoDocument } from "../tasks/nano/documents";
import type { ChatMessage, ChatTemplate } from "../text/chat-template";
import type { PromptTemplate } from "../text/templates";
import type { Tokenizer } from "../text/tokenizer";

/** What turns text into ids. */
export interface ExampleContext {
  readonly tokenizer: Tokenizer;
  /** Frame around the prompt of {prompt, completion} rows. */
  readonly frame: PromptTemplate;
  /** The model's own, which rows of messages need. */
  readonly chat: ChatTemplate | undefined;
}

/** A stretch of a text; only scored ones are learned. */
interface Piece {
  readonly ids: ArrayLike<number>;
  readonly scored: boolean;
}

/**
 * The sequence of a row:
 * - `{prompt, completion}`: both texts; the completion and the end of text behind it are scored;
 * - `{messages}`, with `tools` or without: what the assistant says is scored, in every turn that the chat template
 *   leaves as it is when more turns follow;
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
function promptAndCompletion(tokenizer: Tokenizer, prompt: string, completion: string): TrainingSequence {
  return join([
    { ids: tokenizer.encode(prompt), scored: false },
    { ids: tokenizer.encode(completion), scored: true },
    { ids: [tokenizer.eosId], scored: true },
  ]);
}

/** Pieces as one sequence. */
function join(pieces: readonly Piece[]): TrainingSequence {
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

/** Each piece is encoded on its own and the tool's output with special tokens off, as in a rollout. */
export function documentExample({ prompt, pieces }: NanoDocument, tokenizer: Tokenizer): TrainingSequence {
  return join([
    { ids: tokenizer.encode(prompt), scored: false },
    ...pieces.map(({ text, source }) =>
      source === "tool"
        ? { ids: tokenizer.encodePlain(text), scored: false }
        : { ids: tokenizer.encode(text), scored: true },
    ),
    { ids: [tokenizer.eosId], scored: true },
  ]);
}

/** A prompt with a preferred answer and with a rejected one. Only the answers are scored. */
export interface Pair {
  readonly chosen: TrainingSequence;
  readonly rejected: TrainingSequence;
  /** Reward of the chosen answer minus that of the rejected one. */
  readonly gap: number;
}

/**
 * The pair of a row: `{prompt, chosen, rejected}` in texts, or `{messages, chosen_response, rejected_response}` with
 * `tools` or without (When2Call). `chosen_reward` and `rejected_reward` give the gap, which is 1 without them.
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
  row: JsonObject,
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

function conversation(row: JsonObject, where: string, { tokenizer, chat }: ExampleContext): Piece[] {
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

function recorded(row: JsonObject, where: string, tokenizer: Tokenizer): TrainingSequence {
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
export function rewardOf(row: JsonObject): number | undefined {
  return typeof row.reward === "number" ? row.reward : undefined;
}

/** @throws UserError unless `value` is a list of chat messages */
function messagesOf(value: unknown, where: string): ChatMessage[] {
  const messages: unknown[] = Array.isArray(value) ? value : [];
  if (messages.length === 0 || !messages.every(isMessage))
    throw new UserError(`${where}: messages is not a list of {"role": text, "content": text}`);
  return messages.filter(isMessage);
}

/** Tools as JSON schemas: objects, or texts of JSON as When2Call has them. @throws UserError when they are neither */
function toolsOf(value: unknown, where: string): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new UserError(`${where}: tools is not a list of JSON schemas`);
  if (value.length === 0) return undefined;
  return value.map((tool: unknown) => {
    if (typeof tool !== "string") return tool;
    try {
      return JSON.parse(tool);
    } catch {
      throw new UserError(`${where}: a tool is a text that is not JSON`);
    }
  });
}

function isMessage(value: unknown): value is ChatMessage {
  return (
    isRecord(value) && typeof value.role === "string" && (typeof value.content === "string" || "tool_calls" in value)
  );
}
