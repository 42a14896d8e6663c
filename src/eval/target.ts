/** Whatever answers questions: a model on this machine's GPU or one behind an address. */
import type { QuestionRow } from "../session/questions";
import type { Answer } from "./answers";

/** A question and which of its samples are wanted. */
export interface Asked {
  /** Row of the benchmark, from 0. */
  readonly question: number;
  readonly row: QuestionRow;
  readonly samples: readonly number[];
}

export interface AnswerSettings {
  /** N_max. */
  readonly maxToolCalls: number;
  /** K: with question and sample it makes the random key, so it is part of what a sample is. */
  readonly generations: number;
  readonly signal?: AbortSignal;
  /** Called for each answer as soon as it is graded. */
  onAnswer(question: number, sample: number, prompt: string, answer: Answer): void;
}

export interface Target {
  /** @throws UserError at the first question that cannot be asked */
  check(rows: readonly QuestionRow[]): void;
  answer(asked: readonly Asked[], settings: AnswerSettings): Promise<void>;
  close(): Promise<void>;
}

/** A target that is opened when its first sample is wanted. */
export interface TargetPlan {
  /** In samples.jsonl and `--json`. */
  readonly name: string;
  /** In tables. */
  readonly label: string;
  /** What the name stands for, where that can change between two runs. */
  readonly identity: string;
  /** @param trajectories most that will be asked for together */
  open(trajectories: number): Promise<Target>;
}
