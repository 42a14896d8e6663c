import { Budget } from "./budget";
import { semanticallyEqual } from "./equivalence";
import { finalAnswer } from "./extract/final-answer";

/** How answers are read and compared; docs/grading.md says how they differ. */
export const gradingProfiles = ["math", "zerotir", "qwen", "dapo", "hendrycks"] as const;
export type GradingProfile = (typeof gradingProfiles)[number];

export interface Verdict {
  readonly verdict: boolean;
  /** The answer as written in the prediction; null when there is none. */
  readonly extracted: string | null;
}

export interface VerifyOptions {
  /** Default `math`. */
  readonly profile?: GradingProfile;
  /** Time for one comparison in milliseconds; the verdict is false when it is spent. Default 50. */
  readonly budgetMs?: number;
}

const DEFAULT_BUDGET_MS = 50;

/**
 * Grades a prediction. Never throws.
 * @param prediction a whole response or a bare answer.
 * @param gold one right answer or several, each of which is right.
 */
export function verifyAnswer(
  prediction: string,
  gold: string | readonly string[],
  options: VerifyOptions = {},
): Verdict {
  const profile = options.profile ?? "math";
  const extracted = extractAnswer(prediction, profile);
  const golds = typeof gold === "string" ? [gold] : gold;
  const budget = new Budget(options.budgetMs ?? DEFAULT_BUDGET_MS);
  const verdict =
    extracted !== null &&
    golds.some((answer) => semanticallyEqual(extracted, finalAnswer(answer) ?? answer, { percent: "either", roundedPlaces: 4 }, budget));
  return { verdict, extracted };
}

/** The answer of a whole response, or a bare answer as it stands; null when there is none. */
export function extractAnswer(text: string, _profile: GradingProfile = "math"): string | null {
  return finalAnswer(text);
}

/** Whether two bare answers are the same. */
export function answersEquivalent(a: string, b: string, _profile: GradingProfile = "math"): boolean {
  return semanticallyEqual(a, b, { percent: "either", roundedPlaces: 4 }, new Budget(DEFAULT_BUDGET_MS));
}
