import { afterThinking, answerTagsValid, type FinishReason } from "./answer-tags";
import { answersEqual, countBoxed, extractBoxed } from "./boxed";
import { countFences, legacyCodeReward } from "./code-ratio";

/** What a grader is told about a trajectory. Plain data: it crosses to a worker. */
export interface GradeJob {
  /** Text of the sampled tokens only. */
  readonly modelText: string;
  /** Text of all tokens after the prompt, tool output included. */
  readonly fullText: string;
  /** One right answer or several. Goes to graders only, never to the sandbox. */
  readonly gold: string | readonly string[];
  /** Executed code blocks, and how many of them did not end well. */
  readonly executions: number;
  readonly executionErrors: number;
  readonly finishReason: FinishReason;
}

export interface GradeOptions {
  /**
   * `model-tokens` (default): the answer is read from sampled tokens only. `full-text`: from everything, as the ZeroTIR code does; a program
   * that prints a box is then graded.
   */
  readonly scope?: "model-tokens" | "full-text";
  /** `boxed` (default): any closed box counts. `answer-tags`: ZeroTIR's gate, see {@link answerTagsValid}. */
  readonly format?: "boxed" | "answer-tags";
  /** Reward of a right and of a wrong answer; default 1 and 0. */
  readonly correctReward?: number;
  readonly wrongReward?: number;
}

/** Per-trajectory numbers, named as they are logged. Flags are 0 or 1. */
export interface GradeNumbers {
  /** What is optimised. */
  readonly reward: number;
  /** Verdict of the rule on the answer. */
  readonly rule_rewards: 0 | 1;
  /** The published code ratio, see {@link legacyCodeReward}; over the full text. */
  readonly code_rewards: 0 | 1;
  /** At least one block was executed. */
  readonly code_executed: 0 | 1;
  /** `code_rewards` and a right answer. */
  readonly code_correct: 0 | 1;
  readonly code_count: number;
  readonly output_count: number;
  readonly partial_code_count: number;
  readonly code_execution_times: number;
  /** Share of the executions that did not end well; 0 without executions. */
  readonly code_execution_errors: number;
  readonly no_boxed: 0 | 1;
  readonly more_boxed: 0 | 1;
  readonly truncated: 0 | 1;
  /** The grader itself failed or took too long; the answer then counts as wrong. */
  readonly verifier_failed: 0 | 1;
}

export interface GradeResult {
  readonly numbers: GradeNumbers;
  /** The extracted answer; null when there is none. */
  readonly prediction: string | null;
}

/** Grades one trajectory. Never throws, takes time linear in the text. */
export function gradeTrajectory(job: GradeJob, options: GradeOptions = {}): GradeResult {
  const response = options.scope === "full-text" ? job.fullText : job.modelText;
  const gated = options.format === "answer-tags";
  const prediction =
    gated && !answerTagsValid(response, job.finishReason)
      ? undefined
      : extractBoxed(gated ? afterThinking(response) : response);
  const correct = prediction !== undefined && answersEqual(prediction, job.gold);
  return { numbers: numbersOf(job, options, correct, false), prediction: prediction ?? null };
}

/** The result that stands in when a grader failed: a wrong answer, marked as such. */
export function failedGrade(job: GradeJob, options: GradeOptions = {}): GradeResult {
  return { numbers: numbersOf(job, options, false, true), prediction: null };
}

function numbersOf(job: GradeJob, options: GradeOptions, correct: boolean, failed: boolean): GradeNumbers {
  const response = options.scope === "full-text" ? job.fullText : job.modelText;
  const flag = (value: boolean): 0 | 1 => (value ? 1 : 0);
  const code = legacyCodeReward(job.fullText);
  const fences = countFences(job.fullText);
  const boxes = countBoxed(response);
  return {
    reward: correct ? (options.correctReward ?? 1) : (options.wrongReward ?? 0),
    rule_rewards: flag(correct),
    code_rewards: code,
    code_executed: flag(job.executions > 0),
    code_correct: flag(code === 1 && correct),
    code_count: fences.code,
    output_count: fences.output,
    partial_code_count: fences.opened,
    code_execution_times: job.executions,
    code_execution_errors: job.executions > 0 ? job.executionErrors / job.executions : 0,
    no_boxed: flag(boxes === 0),
    more_boxed: flag(boxes > 1),
    truncated: flag(job.finishReason === "length"),
    verifier_failed: flag(failed),
  };
}
