import { afterThinking } from "./answer-tags";
import { extractBoxed } from "./boxed";
import type { Budget } from "./budget";
import type { Policy } from "./compare/answers";
import { semanticallyEqual } from "./equivalence";
import { finalAnswer, goldAnswer, isBare } from "./final-answer";
import { dapoAnswer, dapoNormalForm } from "./published/dapo";
import { hendrycksBox, hendrycksNormalForm } from "./published/hendrycks";
import { lastBoxText, qwenAnswer, qwenEqual, qwenNormalForm } from "./published/qwen";

/** How answers are read and compared; docs/grading.md says how they differ. */
export const gradingProfiles = ["math", "zerotir", "qwen", "dapo", "hendrycks"] as const;
export type GradingProfile = (typeof gradingProfiles)[number];

/** How a profile reads responses and gold answers, and compares what it has read. */
export interface Grader {
  /**
   * The answer in a response; null when there is none. A bare answer, which no published grader knows, is read as it
   * stands.
   */
  extract(response: string): string | null;
  gold(answer: string): string;
  equal(prediction: string, gold: string, policy: Policy, budget: Budget): boolean;
  readonly policy: Policy;
}

const asItStands = (response: string): string | null => (isBare(response.trim()) ? response.trim() : null);
const semantic = { equal: semanticallyEqual };

export const graders: Readonly<Record<GradingProfile, Grader>> = {
  math: {
    ...semantic,
    extract: finalAnswer,
    gold: goldAnswer,
    policy: { percent: "either", roundedPlaces: 4, roundedDigits: 4 },
  },
  zerotir: {
    ...semantic,
    extract: (response) => {
      const text = afterThinking(response);
      return lastBoxText(text) ?? asItStands(text);
    },
    gold: goldAnswer,
    policy: { percent: "hundredth", roundedPlaces: 6, roundedDigits: Number.POSITIVE_INFINITY },
  },
  qwen: {
    extract: (response) =>
      (/boxed|answer is|答案是/.test(response) ? null : asItStands(response)) ?? qwenAnswer(response),
    gold: goldAnswer,
    equal: (prediction, gold, policy, budget) =>
      qwenEqual(qwenNormalForm(prediction), qwenNormalForm(gold), policy, budget),
    policy: { percent: "either", roundedPlaces: 4, roundedDigits: Number.POSITIVE_INFINITY },
  },
  dapo: {
    extract: (response) => dapoAnswer(response) ?? (response.includes("\\boxed") ? null : asItStands(response)),
    gold: (answer) => answer,
    equal: (prediction, gold) => sameText(dapoNormalForm(prediction), dapoNormalForm(gold)),
    policy: { percent: "hundredth", roundedPlaces: Number.POSITIVE_INFINITY, roundedDigits: Number.POSITIVE_INFINITY },
  },
  hendrycks: {
    extract: (response) => hendrycksBox(response) ?? (/\\[bf]box/.test(response) ? null : asItStands(response)),
    gold: (answer) => hendrycksBox(answer) ?? answer,
    equal: (prediction, gold) => sameText(hendrycksNormalForm(prediction), hendrycksNormalForm(gold)),
    policy: { percent: "hundredth", roundedPlaces: Number.POSITIVE_INFINITY, roundedDigits: Number.POSITIVE_INFINITY },
  },
};

/** An answer that normalises to nothing is none. */
function sameText(prediction: string, gold: string): boolean {
  return prediction !== "" && prediction === gold;
}

const SHOWS: Record<GradingProfile, (response: string) => boolean> = {
  math: (response) => extractBoxed(response) !== undefined,
  zerotir: (response) => response.includes("boxed"),
  qwen: (response) => /boxed|answer is|答案是/i.test(response),
  dapo: (response) => /\\boxed|answer\s*:/i.test(response),
  hendrycks: (response) => /\\(?:boxed|fbox)/.test(response),
};

/**
 * Whether a response marks an answer in the profile's way; `math` wants a closed box. Without a mark the grader would
 * take the whole response for a bare answer, or guess which part of it is meant, and a model could be rewarded for a
 * number that it does not present as its answer.
 */
export function showsAnswer(response: string, profile: GradingProfile): boolean {
  return SHOWS[profile](response);
}
