import { extractBoxed } from "./boxed";
import type { GradingProfile } from "./verify";

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
