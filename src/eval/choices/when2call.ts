/** Rows of When2Call's test file, their prompts, and the score of each of their answers. */

import { UserError } from "../../base/errors";
import type { SequenceScorer } from "../../model/sequence-scorer";
import type { ChatTemplate } from "../../text/chat-template";
import type { Tokenizer } from "../../text/tokenizer";
import { type Behaviour, behaviours, type ScoredChoices } from "./metrics";

export interface When2CallRow {
  readonly id: string;
  readonly question: string;
  readonly gold: Behaviour;
  /** In the order of {@link behaviours}. */
  readonly answers: readonly string[];
  readonly tools: readonly unknown[];
}

/**
 * A record of the published test file (`uuid, question, correct_answer`) or of a converted one (`id, problem, answer`),
 * with `answers` and `tools`.
 * @param where names the record in errors
 * @throws UserError naming the record and the field
 */
export function when2CallRow(record: unknown, where: string): When2CallRow {
  const fields = isObject(record) ? record : {};
  const text = (...names: string[]): string => {
    const found = names.map((name) => fields[name]).find((value) => value !== undefined);
    if (typeof found === "string") return found;
    throw new UserError(
      `${where}: ${names.join(" or ")} is missing or no text; expected a row of When2Call's test file`,
    );
  };
  const answer = text("correct_answer", "answer");
  const gold = behaviours.find((name) => name === answer);
  if (gold === undefined)
    throw new UserError(
      `${where}: the right answer is ${JSON.stringify(answer)}, expected one of ${behaviours.join(", ")}`,
    );
  const given = isObject(fields.answers) ? fields.answers : {};
  const tools: unknown[] = Array.isArray(fields.tools) ? fields.tools : [];
  return {
    id: text("uuid", "id"),
    question: text("question", "problem"),
    gold,
    answers: behaviours.map((name) => {
      const choice = given[name];
      if (typeof choice === "string" && choice !== "") return choice;
      throw new UserError(`${where}: answers.${name} is missing or no text; expected one text for each behaviour`);
    }),
    tools: tools.map((tool) => parsedTool(tool, where)),
  };
}

/**
 * The prompt by the model's own template, which puts the tools where the model expects them; without one as plain text.
 */
export function when2CallPrompt({ question, tools }: When2CallRow, template: ChatTemplate | undefined): string {
  if (template !== undefined)
    return template.render(
      [{ role: "user", content: question }],
      tools.length === 0 ? {} : { tools: tools.map((tool) => ({ type: "function", function: tool })) },
    );
  const list = tools.map((tool) => `${JSON.stringify(tool)}\n`).join("");
  return `${tools.length === 0 ? "" : `Tools:\n${list}\n`}User: ${question}\nAssistant: `;
}

/** A row as token ids. */
export interface EncodedRow {
  readonly row: When2CallRow;
  readonly prompt: Uint32Array;
  /** In the order of {@link behaviours}. */
  readonly answers: readonly Uint32Array[];
  /** Of the prompt with its longest answer. */
  readonly tokens: number;
}

/** Prompt and answers are encoded apart and their ids joined, so no token lies across the boundary. */
export function encodeRow(row: When2CallRow, prompt: string, tokenizer: Tokenizer): EncodedRow {
  const promptIds = tokenizer.encode(prompt);
  const answers = row.answers.map((answer) => tokenizer.encodePlain(answer));
  return { row, prompt: promptIds, answers, tokens: promptIds.length + Math.max(...answers.map((ids) => ids.length)) };
}

/** Scores the answers. */
export async function scoreRow(
  { row, prompt, answers }: EncodedRow,
  scorer: Pick<SequenceScorer, "continuations">,
): Promise<ScoredChoices> {
  const scored = await scorer.continuations(prompt, answers);
  return {
    gold: row.gold,
    logLikelihoods: scored.map((logprobs) => logprobs.reduce((sum, each) => sum + each, 0)),
    lengths: row.answers.map((answer) => [...answer].length),
    tools: row.tools.length,
  };
}

function parsedTool(tool: unknown, where: string): unknown {
  if (typeof tool !== "string") return tool;
  try {
    return JSON.parse(tool);
  } catch {
    throw new UserError(`${where}: a tool is not JSON: ${tool.slice(0, 60)}`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
