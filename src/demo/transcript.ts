import type { Transcript } from "../session/events";
import { element, visible } from "../web/elements";
import { rewardChip, rolloutCard, stretch } from "../web/rollout-card";

/** A trajectory that training shows, as a card. */
export function transcriptCard(sample: Transcript): HTMLElement {
  const { step, reward, answer, modelTokens, finishReason, prompt, segments } = sample;
  const header = [element("span", "chip", `step ${step}`)];
  if (reward !== undefined) header.push(rewardChip(reward));
  if (answer !== undefined) header.push(element("span", "", "right answer ", ...visible(answer)));
  header.push(element("span", "", `${modelTokens} tokens`));
  if (finishReason === "length") header.push(element("span", "chip bad", "cut off at the length limit"));
  const shown = segments.map(({ kind, text }) => ({ kind, text: withoutBlankEdges(text) }));
  return rolloutCard(header, [
    stretch("prompt", plain(prompt)),
    ...shown.flatMap(({ kind, text }) => (text === "" ? [] : [stretch(kind, plain(text))])),
  ]);
}

function plain(text: string): HTMLElement {
  return element("pre", "", ...visible(text));
}

/** Lines without any character at either end say nothing and take room. */
function withoutBlankEdges(text: string): string {
  return text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
}
