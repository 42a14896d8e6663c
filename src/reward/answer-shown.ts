import type { GradingProfile } from "./verify";

const MARKS: Record<GradingProfile, RegExp> = {
  math: /\\boxed/,
  zerotir: /boxed/,
  qwen: /boxed|answer is|答案是/i,
  dapo: /\\boxed|answer\s*:/i,
  hendrycks: /\\(?:boxed|fbox)/,
};

/**
 * Whether a response marks an answer in the profile's way. Without a mark the grader would take the whole response for a bare answer, and a
 * model could be rewarded for a number that it does not present as its answer.
 */
export function showsAnswer(response: string, profile: GradingProfile): boolean {
  return MARKS[profile].test(response);
}
