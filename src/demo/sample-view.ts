import type { Sample, SampleSegment } from "../session/events";
import { element } from "./dom";

const LABELS: Record<SampleSegment["kind"], { readonly label: string; readonly kind: string }> = {
  text: { label: "model", kind: "model" },
  code: { label: "python", kind: "python" },
  observation: { label: "observation", kind: "observation" },
};

/** A trajectory as a card: each stretch says who wrote it, so that Python's output cannot be taken for the model's text. */
export function sampleCard(sample: Sample): HTMLElement {
  const card = element("article", "panel sample");
  const reward = sample.reward ?? 0;
  const header = element("header", "", element("span", "step", `step ${sample.step}`));
  if (sample.reward !== undefined)
    header.append(
      element("span", reward > 0 ? "reward good" : "reward bad", `${reward > 0 ? "✓" : "✗"} reward ${reward}`),
    );
  if (sample.answer !== undefined) header.append(element("span", "detail", `right answer ${sample.answer}`));
  header.append(element("span", "detail", `${sample.modelTokens} tokens`));
  if (sample.finishReason === "length") header.append(element("span", "detail bad", "cut off at the length limit"));
  card.append(header, stretch("prompt", "prompt", sample.prompt));
  for (const { kind, text } of sample.segments) {
    const shown = LABELS[kind];
    const trimmed = withoutBlankEdges(text);
    if (trimmed !== "") card.append(stretch(shown.kind, shown.label, trimmed));
  }
  return card;
}

function stretch(kind: string, label: string, text: string): HTMLElement {
  const pre = element("pre", "", text);
  return element("div", `stretch ${kind}`, element("span", "who", label), pre);
}

/** Lines without any character at either end say nothing and take room. */
function withoutBlankEdges(text: string): string {
  return text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
}
