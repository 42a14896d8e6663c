/**
 * The reward functions that ship with the program: pure functions of one trajectory, each with its formula and source.
 */
import { afterThinking, answerTagsValid } from "./answer-tags";
import { countBoxed } from "./boxed";
import type { GradeJob } from "./job";
import { trigramRepetition } from "./repetition";
import type { GradingProfile, Verdict } from "./verify";

/** Which part of a response an answer is looked for in, and by which profile it is read and compared. */
export interface AnswerRule {
  /** Used unless the run names a profile. */
  readonly profile: GradingProfile;
  /** @returns null when the response is not valid, so that its answer counts as wrong without being looked at */
  part(response: string, job: GradeJob): string | null;
}

/** What a built-in function sees of a trajectory. */
export interface RewardInput {
  readonly job: GradeJob;
  /** The text in the run's scope. */
  readonly response: string;
  /** Tokens of `response`. */
  readonly responseTokens: number;
  /** Verdict of the function's own answer rule. */
  readonly verdict: Verdict;
  readonly softOverlong: SoftOverlongLimits;
}

/** Lengths in tokens of {@link softOverlongPunishment}: it begins at `maxLength - cacheLength`. */
export interface SoftOverlongLimits {
  readonly maxLength: number;
  readonly cacheLength: number;
}

export interface RewardFunction {
  /** One line for `--help`. */
  readonly help: string;
  /** Of functions that judge the answer. */
  readonly answer?: AnswerRule;
  /** @returns null when the function does not apply to this trajectory, which leaves it out of the sum */
  value(input: RewardInput): number | null;
}

/** The whole response, read by a profile. */
function wholeResponse(profile: GradingProfile): AnswerRule {
  return { profile, part: (response) => response };
}

/** Whether the row has a right answer at all. */
function hasGold({ gold }: GradeJob): boolean {
  return gold.length > 0;
}

/**
 * R = 1 when the boxed answer is right, else 0: the outcome reward of ZeroTIR (arXiv 2505.07773), ORZ and
 * DeepSeek-R1-Zero. Null without a gold answer.
 */
const accuracy = {
  help: "1 for a right answer, else 0",
  answer: wholeResponse("math"),
  value: ({ job, verdict }) => (hasGold(job) ? Number(verdict.verdict) : null),
} as const satisfies RewardFunction;

/** The answer rule of a run whose functions judge no answer. */
export const DEFAULT_RULE: AnswerRule = accuracy.answer;

/**
 * ZeroTIR (arXiv 2505.07773, its published reward code): R = 1 when the response passes the format gate and the answer
 * after the last `</think>` is right, else 0. The gate is {@link answerTagsValid}; behind it nothing is verified.
 */
const zerotir: RewardFunction = {
  help: "1 for a right answer in valid <answer> tags, else 0",
  answer: {
    profile: "zerotir",
    part: (response, job) => (answerTagsValid(response, job.finishReason) ? afterThinking(response) : null),
  },
  value: ({ job, verdict }) => (hasGold(job) ? Number(verdict.verdict) : null),
};

/**
 * ToRL (arXiv 2503.23383): R = +1 for a right boxed answer, -1 for a wrong one or none. Its code penalty is
 * {@link executionPenalty}.
 */
const torl: RewardFunction = {
  help: "+1 for a right answer, else -1",
  answer: wholeResponse("math"),
  value: ({ job, verdict }) => (hasGold(job) ? (verdict.verdict ? 1 : -1) : null),
};

/**
 * ToRL's executability penalty (arXiv 2503.23383): -0.5 when the last executed block failed, 0 when it ran. Null
 * without an executed block. The paper found no gain from it and left it out of its main runs.
 */
const executionPenalty: RewardFunction = {
  help: "-0.5 when the last Python block failed, 0 when it ran",
  value: ({ job }) => (job.executions === 0 ? null : job.lastExecutionFailed ? -0.5 : 0),
};

/**
 * SimpleRL-Zoo's reward of type `mix` (arXiv 2503.18892): +1 for a right answer, -0.5 for a wrong one, -1 when there is
 * no box.
 */
const simplerl: RewardFunction = {
  help: "+1 for a right answer, -0.5 for a wrong one, -1 without a box",
  answer: wholeResponse("qwen"),
  value: ({ job, response, verdict }) => {
    if (!hasGold(job)) return null;
    if (countBoxed(response) === 0) return -1;
    return verdict.verdict ? 1 : -0.5;
  },
};

/** DAPO (arXiv 2503.14476): R = +1 when the last `Answer:` line near the end of the response is right, else -1. */
const dapo: RewardFunction = {
  help: "+1 for a right `Answer:` line, else -1",
  answer: wholeResponse("dapo"),
  value: ({ job, verdict }) => (hasGold(job) ? (verdict.verdict ? 1 : -1) : null),
};

/**
 * DAPO's soft overlong punishment (arXiv 2503.14476, equation 13): 0 up to L_max - L_cache tokens,
 * ((L_max - L_cache) - |y|) / L_cache up to L_max, -1 beyond. |y| counts the tokens in the run's scope: tool output is
 * not the model's fault, unless the scope is the full text.
 */
const softOverlongPunishment: RewardFunction = {
  help: "0 down to -1 over the last --soft-punish-cache tokens before --max-completion-length",
  value({ responseTokens, softOverlong: { maxLength, cacheLength } }) {
    const expected = maxLength - cacheLength;
    if (responseTokens <= expected) return 0;
    return responseTokens <= maxLength ? (expected - responseTokens) / cacheLength : -1;
  },
};

/** N-gram repetition penalty (arXiv 2502.03373, appendix C.2) with word trigrams: -(1 - distinct / total). */
const repetitionPenalty: RewardFunction = {
  help: "0 down to -1 with the share of repeated word trigrams",
  value: ({ response }) => 0 - trigramRepetition(response),
};

/** The functions that `--reward-funcs` takes by name. */
export const builtInRewards = {
  accuracy,
  zerotir,
  torl,
  execution_penalty: executionPenalty,
  simplerl,
  dapo,
  soft_overlong_punishment: softOverlongPunishment,
  repetition_penalty: repetitionPenalty,
} as const satisfies Record<string, RewardFunction>;

export type BuiltInReward = keyof typeof builtInRewards;

export function isBuiltInReward(name: string): name is BuiltInReward {
  return Object.hasOwn(builtInRewards, name);
}
