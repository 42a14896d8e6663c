/** A record of any known schema becomes a question with its right answer. */

import { UserError } from "../base/errors";
import { isRecord, type JsonObject } from "../base/json";
import { afterHashes, lastBoxed } from "./final-answer";
import type { LocatedRecord } from "./records";

/** A question, its right answer or answers, and everything else that the record said. */
export interface DatasetRow {
  readonly prompt: string;
  readonly answer: string | readonly string[];
  /** All other columns of the record, for reward functions that want them. */
  readonly columns: Readonly<Record<string, unknown>>;
}

/**
 * Columns that the user or the registry names; a dotted name goes into nested objects. Null: found by the usual names.
 */
export interface ColumnChoice {
  readonly promptColumn: string | null;
  readonly answerColumn: string | null;
  /** A row without an answer gets an empty list of them instead of an error. */
  readonly answerOptional?: boolean;
}

const QUESTION_KEYS = ["prompt", "question", "problem"];
const ANSWER_KEYS = ["answer", "ground_truth", "final_answer", "label", "correct_answer"];
const CHAT_KEYS = ["prompt", "messages"];

/** A value, and the top-level column it stood in when nothing else of that column is worth keeping. */
interface Found {
  readonly value: unknown;
  readonly column?: string;
}

/**
 * Question and answer of a record:
 * - plain columns: the question under prompt, question or problem, the answer under answer, ground_truth, final_answer,
 *   label or correct_answer;
 * - verl: `prompt` as a chat list, `reward_model.ground_truth`, the bare question in `extra_info.question` where there
 *   is one;
 * - Open-Reasoner-Zero: a list of two turns, `{from: "human", value}` and `{ground_truth: {value, pass_at_n}}`;
 * - ZeroTIR's training file: `label` is JSON with `gold_ans`;
 * - GSM8K as published: the answer is what follows `####`;
 * - MATH as published: the answer is the last `\boxed{}` of `solution`.
 * @throws UserError naming file, row and column
 */
export function toRow({ record, where }: LocatedRecord, choice: ColumnChoice): DatasetRow {
  const fields = Array.isArray(record) ? turnsAsFields(record) : record;
  if (!isRecord(fields)) throw new UserError(`${where}: expected an object with prompt and answer`);
  const prompt = findPrompt(fields, choice.promptColumn, where);
  const answer = findAnswer(fields, choice, where);
  const used = new Set([prompt.column, answer.column]);
  return {
    prompt: prompt.text,
    answer: answer.value === undefined ? [] : checkedAnswer(answer.value, where, choice.answerColumn !== null),
    columns: Object.fromEntries(Object.entries(fields).filter(([key]) => !used.has(key))),
  };
}

function findPrompt(fields: JsonObject, named: string | null, where: string): { text: string; column?: string } {
  if (named !== null) {
    const value = valueAt(fields, named);
    const text = Array.isArray(value) ? lastUserTurn(value) : value;
    if (typeof text === "string" && text.trim() !== "") return { text, column: named };
    throw new UserError(
      `${where}: column ${named} is ${shown(value)}; ` +
        `expected the text of the question, or a list of chat turns${known(fields)}`,
    );
  }
  for (const column of QUESTION_KEYS) {
    const text = fields[column];
    if (typeof text === "string") return { text, column };
  }
  const bare = valueAt(fields, "extra_info.question");
  if (typeof bare === "string") return { text: bare };
  for (const column of CHAT_KEYS) {
    const turns = fields[column];
    const text = Array.isArray(turns) ? lastUserTurn(turns) : undefined;
    if (text !== undefined) return { text, column };
  }
  throw new UserError(
    `${where}: has no text under ${QUESTION_KEYS.join(", ")}; ` +
      `name its column with --dataset-prompt-column${known(fields)}`,
  );
}

/** @returns no value where there is no answer and none is needed */
function findAnswer(fields: JsonObject, { answerColumn: named, answerOptional }: ColumnChoice, where: string): Found {
  if (named !== null) {
    const value = valueAt(fields, named);
    if (value === undefined || value === null)
      throw new UserError(`${where}: column ${named} is ${shown(value)}; expected the right answer${known(fields)}`);
    return fromSolution(value, named);
  }
  const verl = valueAt(fields, "reward_model.ground_truth");
  if (verl !== undefined && verl !== null) return { value: verl };
  for (const column of ANSWER_KEYS) {
    const value = fields[column];
    if (value !== undefined && value !== null) return fromSolution(goldOfLabel(value), column);
  }
  const boxed = typeof fields.solution === "string" ? lastBoxed(fields.solution) : undefined;
  if (boxed !== undefined) return { value: boxed };
  if (answerOptional) return { value: undefined };
  throw new UserError(
    `${where}: has no answer under ${ANSWER_KEYS.join(", ")}; ` +
      `name its column with --dataset-answer-column${known(fields)}`,
  );
}

/**
 * An answer column that holds a whole solution: its final answer is the gold, and the solution stays among the columns.
 */
function fromSolution(value: unknown, column: string): Found {
  if (typeof value !== "string") return { value, column };
  const hashes = afterHashes(value);
  if (hashes !== undefined) return { value: hashes };
  const boxed = lastBoxed(value);
  return boxed === undefined ? { value, column } : { value: boxed };
}

/** ZeroTIR's `label`: the text of a JSON object. */
function goldOfLabel(value: unknown): unknown {
  if (typeof value !== "string" || !value.startsWith("{")) return value;
  try {
    return valueAt(JSON.parse(value), "gold_ans") ?? value;
  } catch {
    return value;
  }
}

/**
 * Two turns of Open-Reasoner-Zero as an object with question, answer and whatever else stands beside the ground truth.
 */
function turnsAsFields(turns: readonly unknown[]): unknown {
  const question = lastUserTurn(turns);
  const truth = turns.map((turn) => valueAt(turn, "ground_truth")).find((value) => value !== undefined);
  if (question === undefined || truth === undefined) return undefined;
  if (!isRecord(truth)) return { prompt: question, answer: truth };
  const { value, ...rest } = truth;
  return { ...rest, prompt: question, answer: value };
}

/** Text of the last turn by a person, in the words of either chat format. */
function lastUserTurn(turns: readonly unknown[]): string | undefined {
  const last = turns.findLast((turn) => valueAt(turn, "role") === "user" || valueAt(turn, "from") === "human");
  const text = valueAt(last, "content") ?? valueAt(last, "value");
  return typeof text === "string" ? text : undefined;
}

/**
 * An empty text is taken for a fault of the file, unless the user has named the column: then it may be what a function
 * of their own asks for.
 */
function checkedAnswer(answer: unknown, where: string, named: boolean): string | string[] {
  if (answer === "" && named) return answer;
  if (answer === "")
    throw new UserError(
      `${where}: the answer is empty; repair the row, ` +
        "or name the column with --dataset-answer-column if an empty answer is meant",
    );
  const answers: unknown[] = Array.isArray(answer) ? answer : [answer];
  if (answers.length === 0 || answers.some((one) => !isAnswer(one)))
    throw new UserError(`${where}: the answer is ${shown(answer)}; expected a text or a number, or a list of them`);
  return Array.isArray(answer) ? answers.map(String) : String(answer);
}

/** An empty text is no answer: no box could ever equal it. */
function isAnswer(value: unknown): boolean {
  return (typeof value === "string" && value.trim() !== "") || typeof value === "number" || typeof value === "boolean";
}

/** The value under a dotted name; a column whose own name has dots comes first. */
function valueAt(fields: unknown, name: string): unknown {
  if (!isRecord(fields)) return undefined;
  if (Object.hasOwn(fields, name)) return fields[name];
  const dot = name.indexOf(".");
  return dot < 0 ? undefined : valueAt(fields[name.slice(0, dot)], name.slice(dot + 1));
}

function shown(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function known(fields: JsonObject): string {
  return ` (columns: ${Object.keys(fields).join(", ")})`;
}
