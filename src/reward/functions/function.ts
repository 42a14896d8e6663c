import type { GradeJob } from "../job";
import type { GradingProfile, Verdict } from "../verify";

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

/** Lengths in tokens of {@link SoftOverlongLimits}' punishment: it begins at `maxLength - cacheLength`. */
export interface SoftOverlongLimits {
  readonly maxLength: number;
  readonly cacheLength: number;
}

/** A reward that ships with the program: a pure function of one trajectory. */
export interface RewardFunction {
  /** One line for `--help`. */
  readonly help: string;
  /** Of functions that judge the answer. */
  readonly answer?: AnswerRule;
  /** @returns null when the function does not apply to this trajectory, which leaves it out of the sum */
  value(input: RewardInput): number | null;
}

/** The whole response, read by a profile. */
export function wholeResponse(profile: GradingProfile): AnswerRule {
  return { profile, part: (response) => response };
}

/** Whether the row has a right answer at all. */
export function hasGold({ gold }: GradeJob): boolean {
  return gold.length > 0;
}
