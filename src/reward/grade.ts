import { countBoxed } from "./boxed";
import { countFences, legacyCodeReward } from "./code-ratio";
import {
  type AnswerRule,
  type BuiltInReward,
  builtInRewards,
  DEFAULT_RULE,
  type RewardFunction,
  type RewardInput,
  type SoftOverlongLimits,
} from "./functions";
import type { GradeJob, RewardScope } from "./job";
import { showsAnswer } from "./profiles";
import { repeatness, trigramRepetition } from "./repetition";
import { type GradingProfile, type Verdict, verifyAnswer } from "./verify";

export type { GradeJob } from "./job";

/** A built-in function and what its value counts for. */
export interface WeightedReward {
  readonly name: BuiltInReward;
  readonly weight: number;
}

/** How every trajectory of a run is graded. Plain data: it crosses to a worker. */
export interface GradeOptions {
  /** Default `model-tokens`: with `full-text` a program that prints a box is graded. */
  readonly scope?: RewardScope;
  /** Profile of every function that judges the answer; by default each has the one of its source. */
  readonly profile?: GradingProfile;
  /** Default: `accuracy` with weight 1. */
  readonly functions?: readonly WeightedReward[];
  /** Default: DAPO's 20480 and 4096 tokens. */
  readonly softOverlong?: SoftOverlongLimits;
}

/** Per-trajectory numbers, named as they are logged. Flags are 0 or 1. */
export interface GradeNumbers {
  /** What is optimised: the sum of the weighted values of the reward functions. */
  readonly reward: number;
  /** Verdict on the answer by the rule of the first function that judges it, else by that of `accuracy`. */
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
  /** Share of repeated substrings, see {@link repeatness}. */
  readonly repeatness: number;
  /** Share of repeated word trigrams, see {@link trigramRepetition}. */
  readonly repetition_penalty: number;
  /**
   * The grader itself failed or took too long: the answer then counts as wrong, and functions without a value are left
   * out.
   */
  readonly verifier_failed: 0 | 1;
}

export interface GradeResult {
  readonly numbers: GradeNumbers;
  /** Value of each reward function by name, before its weight; null where it does not apply. */
  readonly rewards: Readonly<Record<string, number | null>>;
  /** The extracted answer; null when there is none. */
  readonly prediction: string | null;
  /** What functions of the user's logged of it, by column, and of its group, by name. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly metrics?: Readonly<Record<string, number>>;
}

const DEFAULT_FUNCTIONS: readonly WeightedReward[] = [{ name: "accuracy", weight: 1 }];
const DAPO_LIMITS: SoftOverlongLimits = { maxLength: 20480, cacheLength: 4096 };
const NO_ANSWER: Verdict = { verdict: false, extracted: null };

/** Grades one trajectory by the built-in functions. Never throws. */
export function gradeTrajectory(job: GradeJob, options: GradeOptions = {}): GradeResult {
  const response = options.scope === "full-text" ? job.fullText : job.modelText;
  const verdicts = new Map<AnswerRule, Verdict>();
  const verdictOf = (rule: AnswerRule) => {
    const known = verdicts.get(rule) ?? judge(rule, response, job, options);
    verdicts.set(rule, known);
    return known;
  };
  return graded(job, options, response, verdictOf, {
    repeatness: repeatness(response),
    repetition_penalty: trigramRepetition(response),
    verifier_failed: 0,
  });
}

/**
 * The result that stands in when a grader failed: a wrong answer, marked as such, without the measures that take time.
 */
export function failedGrade(job: GradeJob, options: GradeOptions = {}): GradeResult {
  const response = options.scope === "full-text" ? job.fullText : job.modelText;
  return graded(job, options, response, () => NO_ANSWER, { repeatness: 0, repetition_penalty: 0, verifier_failed: 1 });
}

/** Adds the values of further functions, and the weighted ones to the reward. */
export function withRewards(
  grade: GradeResult,
  further: readonly { readonly name: string; readonly weight: number; readonly value: number | null }[],
): GradeResult {
  const sum = further.reduce((total, { weight, value }) => total + weight * (value ?? 0), 0);
  return {
    ...grade,
    numbers: { ...grade.numbers, reward: grade.numbers.reward + sum },
    rewards: { ...grade.rewards, ...Object.fromEntries(further.map(({ name, value }) => [name, value])) },
  };
}

function judge(rule: AnswerRule, response: string, job: GradeJob, options: GradeOptions): Verdict {
  const profile = options.profile ?? rule.profile;
  const part = rule.part(response, job);
  if (part === null || !showsAnswer(part, profile)) return NO_ANSWER;
  return verifyAnswer(part, job.gold, options.scope === "full-text" ? { profile, toolOutput: "read" } : { profile });
}

type Measures = Pick<GradeNumbers, "repeatness" | "repetition_penalty" | "verifier_failed">;

function graded(
  job: GradeJob,
  options: GradeOptions,
  response: string,
  verdictOf: (rule: AnswerRule) => Verdict,
  measures: Measures,
): GradeResult {
  const functions = (options.functions ?? DEFAULT_FUNCTIONS).map(({ name, weight }) => {
    const chosen: RewardFunction = builtInRewards[name];
    return { name, weight, chosen };
  });
  const input: Omit<RewardInput, "verdict"> = {
    job,
    response,
    responseTokens: options.scope === "full-text" ? job.totalTokens : job.modelTokens,
    softOverlong: options.softOverlong ?? DAPO_LIMITS,
  };
  const values = functions.map(({ name, weight, chosen }) => {
    const verdict = chosen.answer === undefined ? NO_ANSWER : verdictOf(chosen.answer);
    return { name, weight, value: chosen.value({ ...input, verdict }) };
  });
  const rule = functions.map(({ chosen }) => chosen.answer).find((answer) => answer !== undefined) ?? DEFAULT_RULE;
  const { verdict, extracted } = verdictOf(rule);
  return withRewards(
    { numbers: { reward: 0, ...numbersOf(job, response, verdict), ...measures }, rewards: {}, prediction: extracted },
    values,
  );
}

function numbersOf(job: GradeJob, response: string, correct: boolean): Omit<GradeNumbers, "reward" | keyof Measures> {
  const flag = (value: boolean): 0 | 1 => (value ? 1 : 0);
  const code = legacyCodeReward(job.fullText);
  const fences = countFences(job.fullText);
  const boxes = countBoxed(response);
  return {
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
  };
}
