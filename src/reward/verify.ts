import { Budget } from "./budget";
import type { Policy } from "./compare/answers";
import { type GradingProfile, graders, gradingProfiles } from "./profiles";

export { type GradingProfile, gradingProfiles };

export interface Verdict {
  readonly verdict: boolean;
  /** The answer as written in the prediction; null when there is none. */
  readonly extracted: string | null;
}

export interface VerifyOptions {
  /** Default `math`. */
  readonly profile?: GradingProfile;
  /**
   * Steps of work for one prediction; the verdict is false when they are spent. Default 10,000, at most about 50 ms on
   * a slow core.
   */
  readonly steps?: number;
  /**
   * Decimals with at least so many places may stand for what they are the rounding of; the profile's own rules by
   * default.
   */
  readonly roundedPlaces?: number;
  /**
   * `read` takes answers also from ```` ```output ```` blocks; by default only published profiles do, and `math` passes
   * over them.
   */
  readonly toolOutput?: "skip" | "read";
}

const DEFAULT_STEPS = 10_000;
/** No profile reads more: of a longer response the end is graded. */
const MOST_CHARACTERS = 4_000_000;
/** Longer answers are only compared as text. */
const MOST_ANSWER_CHARACTERS = 20_000;

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
  const budget = new Budget(options.steps ?? DEFAULT_STEPS);
  const golds = typeof gold === "string" ? [gold] : gold;
  const skips = options.toolOutput === "skip" || (options.toolOutput === undefined && profile === "math");
  const extracted = graders[profile].extract(ending(skips ? withoutToolOutput(prediction) : prediction));
  const verdict =
    extracted === null
      ? golds.some((answer) => answer.trim() !== "" && answer === prediction && !/boxed|<\/answer>/.test(answer))
      : golds.some((answer) => compare(extracted, answer, profile, options.roundedPlaces, budget));
  return { verdict, extracted: extracted ?? (verdict ? prediction : null) };
}

/** The answer of a whole response, or a bare answer as it stands; null when there is none. */
export function extractAnswer(text: string, profile: GradingProfile = "math"): string | null {
  return graders[profile].extract(ending(profile === "math" ? withoutToolOutput(text) : text));
}

function ending(text: string): string {
  return text.slice(-MOST_CHARACTERS);
}

/** A response without what tools printed into it. A block that never closes reaches to the end. */
function withoutToolOutput(text: string): string {
  return text.includes("```output\n") ? text.replace(/```output\n[\s\S]*?(?:```|$)/g, "") : text;
}

/** Whether two bare answers are the same: the first is judged, the second is right. Never throws. */
export function answersEquivalent(prediction: string, gold: string, profile: GradingProfile = "math"): boolean {
  return compare(prediction, gold, profile, undefined, new Budget(DEFAULT_STEPS));
}

function compare(
  prediction: string,
  gold: string,
  profile: GradingProfile,
  roundedPlaces: number | undefined,
  budget: Budget,
): boolean {
  const grader = graders[profile];
  const answer = grader.gold(gold);
  if (prediction.trim() === "" || answer.trim() === "") return false;
  if (Math.max(prediction.length, answer.length) > MOST_ANSWER_CHARACTERS) return prediction === answer;
  const policy: Policy =
    roundedPlaces === undefined
      ? grader.policy
      : { ...grader.policy, roundedPlaces, roundedDigits: Number.POSITIVE_INFINITY };
  return grader.equal(prediction, answer, policy, budget);
}
