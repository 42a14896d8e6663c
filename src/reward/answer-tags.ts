/** How a trajectory ended: by a stop token or string, or because its length was spent. */
export type FinishReason = "stop" | "length";

/** More words than this after `</answer>` are not tolerated. */
const MOST_TRAILING_WORDS = 5;

/**
 * ZeroTIR's validity gate: the response holds `<answer> ... \boxed{ ... </answer>`, each of `</think>`, `<answer>` and
 * `</answer>` exactly once, at most five words follow, and it ended by itself. Counted in words, since the text does
 * not know its tokens.
 */
export function answerTagsValid(response: string, finishReason: FinishReason): boolean {
  const once = ["</think>", "<answer>", "</answer>"].every((tag) => response.split(tag).length === 2);
  if (!once || finishReason !== "stop") return false;
  const start = response.indexOf("<answer>");
  const box = response.indexOf("\\boxed{", start);
  const end = response.indexOf("</answer>");
  const trailing = response.slice(end + "</answer>".length).split(/\s+/);
  return box >= 0 && box < end && trailing.filter((word) => word !== "").length <= MOST_TRAILING_WORDS;
}

/** The part of a response in which the answer is looked for: after the last `</think>`. */
export function afterThinking(response: string): string {
  const end = response.lastIndexOf("</think>");
  return end < 0 ? response : response.slice(end + "</think>".length);
}
