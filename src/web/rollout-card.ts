/**
 * A rollout as a card: its reward, facts about it, and stretches that each say who wrote them, so that Python's output
 * cannot be taken for the model's text.
 */
import { element } from "./elements";
import { figure } from "./format";

/** Who wrote a stretch of a rollout, by its kind. */
export const WRITERS = {
  prompt: "prompt",
  text: "model",
  code: "python",
  observation: "observation",
  /** Where nobody knows which part is code. */
  whole: "answer",
} as const;

export type StretchKind = keyof typeof WRITERS;

/** @param header chips and facts. @param body stretches, and what follows them */
export function rolloutCard(header: readonly HTMLElement[], body: readonly HTMLElement[]): HTMLElement {
  return element("article", "panel rollout", element("header", "", ...header), ...body);
}

export function rewardChip(reward: number): HTMLElement {
  const [className, mark] = reward > 0 ? ["chip good", "✓"] : ["chip bad", "✗"];
  return element("span", className, `${mark} reward ${figure(reward)}`);
}

/** @param text a `pre`. @param note small, below the writer */
export function stretch(kind: StretchKind, text: HTMLElement, note = ""): HTMLElement {
  const who = element("div", "who", WRITERS[kind]);
  if (note !== "") who.append(element("small", "", note));
  return element("div", `stretch ${kind}`, who, text);
}
