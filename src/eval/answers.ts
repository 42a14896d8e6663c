/** What is kept of one sampled answer: a line of samples.jsonl. */
import type { GradeNumbers } from "../reward/grade";
import type { FinishReason, ToolRecord } from "../rollout/trajectory";
import type { PythonStatus } from "../sandbox/engine";

/** Which of all samples of an evaluation one is. */
export interface AnswerKey {
  readonly model: string;
  readonly benchmark: string;
  /** N_max. */
  readonly maxToolCalls: number;
  /** Row of the benchmark, from 0. */
  readonly question: number;
  /** From 0 to K - 1. */
  readonly sample: number;
}

/** An answer as a target gives it. */
export interface Answer {
  readonly segments: readonly { readonly kind: "text" | "code" | "observation"; readonly text: string }[];
  readonly tools: readonly ToolRecord[];
  readonly finishReason: FinishReason;
  /** Tokens that the model wrote. */
  readonly modelTokens: number;
  /** The extracted answer; null when there is none. */
  readonly prediction: string | null;
  readonly numbers: GradeNumbers;
}

/** What the figures need of a sample. */
export interface Outcome {
  readonly correct: boolean;
  readonly prediction: string | null;
  readonly hasCode: boolean;
  readonly calls: number;
  readonly failedCalls: number;
  readonly cut: boolean;
  readonly modelTokens: number;
}

/** One line, without the line break. Holds no time, so that two equal runs write equal bytes. */
export function answerLine(key: AnswerKey, prompt: string, gold: string | readonly string[], answer: Answer): string {
  const { numbers } = answer;
  return JSON.stringify({
    model: key.model,
    benchmark: key.benchmark,
    max_tool_calls: key.maxToolCalls,
    question: key.question,
    sample: key.sample,
    correct: numbers.rule_rewards === 1,
    prediction: answer.prediction,
    gold,
    prompt,
    segments: answer.segments,
    finish_reason: answer.finishReason,
    model_tokens: answer.modelTokens,
    code_rewards: numbers.code_rewards,
    reward: numbers.reward,
    tools: answer.tools.map(({ code, status, stdout, stderr, observation }) => ({
      code,
      status,
      stdout,
      stderr,
      observation,
    })),
  });
}

interface ParsedLine {
  readonly key: AnswerKey;
  readonly outcome: Outcome;
}

/** Reads a line of {@link answerLine} back; undefined when it is none. */
export function parseAnswerLine(line: string): ParsedLine | undefined {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRow(row)) return undefined;
  const { model, benchmark, max_tool_calls: maxToolCalls, question, sample } = row;
  return {
    key: { model, benchmark, maxToolCalls, question, sample },
    outcome: {
      correct: row.correct,
      prediction: row.prediction,
      hasCode: row.code_rewards === 1,
      calls: row.tools.length,
      failedCalls: row.tools.filter(({ status }) => status !== "ok").length,
      cut: row.finish_reason === "length",
      modelTokens: row.model_tokens,
    },
  };
}

interface Row {
  readonly model: string;
  readonly benchmark: string;
  readonly max_tool_calls: number;
  readonly question: number;
  readonly sample: number;
  readonly correct: boolean;
  readonly prediction: string | null;
  readonly code_rewards: number;
  readonly finish_reason: FinishReason;
  readonly model_tokens: number;
  readonly tools: readonly { readonly status: PythonStatus }[];
}

const TYPES: Readonly<Record<Exclude<keyof Row, "prediction" | "tools">, "string" | "number" | "boolean">> = {
  model: "string",
  benchmark: "string",
  max_tool_calls: "number",
  question: "number",
  sample: "number",
  correct: "boolean",
  code_rewards: "number",
  finish_reason: "string",
  model_tokens: "number",
};

function isRow(value: unknown): value is Row {
  if (typeof value !== "object" || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  return (
    Object.entries(TYPES).every(([name, type]) => typeof fields.get(name) === type) &&
    Array.isArray(fields.get("tools"))
  );
}

/** One text per key: equal keys, equal texts. */
export function keyText({ model, benchmark, maxToolCalls, question, sample }: AnswerKey): string {
  return JSON.stringify([model, benchmark, maxToolCalls, question, sample]);
}
