/** One rollout as a card: who wrote each stretch, and every token as an element that can be pointed at. */
import type { Rollout, TokenKind, ToolCall } from "../run-data";
import { element, visible } from "./dom";
import { figure, fixed } from "./format";

const LABELS: Record<TokenKind, { readonly label: string; readonly note: string }> = {
  text: { label: "model", note: "" },
  code: { label: "python", note: "" },
  observation: { label: "observation", note: "not trained on" },
};

/** Classes of shading: how little the model expected a token, from 0 to this. */
const SHADES = 5;
/** Nats per shade: the darkest is below a probability of about 1 percent. */
const NATS_PER_SHADE = 1;

/** Text of a cut longer than this is shown on demand only. */
const LONG_TEXT = 4000;

export function rolloutCard(rollout: Rollout): HTMLElement {
  const card = element("article", "panel rollout", header(rollout));
  card.append(stretch("prompt", "prompt", "", ...visible(rollout.prompt)));
  if (rollout.tokens === null)
    card.append(stretch("whole", "answer", "tokens unknown: no tokenizer.json was found", ...visible(rollout.text)));
  else
    for (const [kind, start, end] of rollout.segments) {
      const { label, note } = LABELS[kind];
      const tokens: HTMLElement[] = [];
      for (let i = start; i < end; i++) tokens.push(tokenElement(rollout, i, i === start, i === end - 1));
      const made = stretch(kind, label, note, ...tokens);
      const box = made.querySelector("pre");
      if (box !== null) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", `${label}: ${end - start} tokens; arrow keys read them one by one`);
      }
      card.append(made);
    }
  const calls = rollout.tools.map(toolLine);
  if (calls.length > 0) card.append(element("div", "calls", ...calls));
  return card;
}

function header({ reward, advantage, step, group, sample, ids, mask, finishReason }: Rollout): HTMLElement {
  const made = element("header", "");
  if (reward !== null)
    made.append(
      element("span", reward > 0 ? "chip good" : "chip bad", `${reward > 0 ? "✓" : "✗"} reward ${figure(reward)}`),
    );
  made.append(
    advantage === null
      ? element("span", "chip", "filtered out")
      : element("span", "chip", `advantage ${advantage > 0 ? "+" : ""}${fixed(advantage, 2)}`),
  );
  const own = mask.split("1").length - 1;
  const observed = ids.length - own;
  made.append(
    element("span", "where", `step ${step} · prompt ${group + 1} · sample ${sample + 1}`),
    element("span", "where", `${own} model tokens${observed > 0 ? ` + ${observed} observed` : ""}`),
  );
  if (finishReason === "length") made.append(element("span", "chip bad", "cut off"));
  else if (finishReason !== "stop") made.append(element("span", "where", ...visible(finishReason)));
  return made;
}

function stretch(kind: string, label: string, note: string, ...content: readonly (Node | string)[]): HTMLElement {
  const who = element("div", "who", label);
  if (note !== "") who.append(element("small", "", note));
  return element("div", `stretch ${kind}`, who, element("pre", "", ...content));
}

/** A line break is shown by a sign, and breaks the line where it is inside of the stretch. */
function tokenElement(
  { tokens, mask, logprobs }: Rollout,
  index: number,
  isFirst: boolean,
  isLast: boolean,
): HTMLElement {
  const text = tokens?.[index] ?? "";
  const made = element("span", "token");
  made.dataset.index = String(index);
  if (mask[index] === "1") {
    const shade = Math.min(SHADES, Math.floor(-(logprobs[index] ?? 0) / NATS_PER_SHADE));
    if (shade > 0) made.classList.add(`shade${shade}`);
  }
  if (text === "") made.append(element("span", "part", "◌"));
  const lines = text.split("\n");
  for (const [place, line] of lines.entries()) {
    if (place > 0) {
      const atEdge =
        (isLast && lines.slice(place).every((rest) => rest === "")) ||
        (isFirst && lines.slice(0, place).every((rest) => rest === ""));
      made.append(element("span", "break", "↵"), ...(atEdge ? [] : ["\n"]));
    }
    made.append(...visible(line));
  }
  return made;
}

function toolLine({ status, milliseconds, queueMilliseconds, stderr }: ToolCall, place: number): HTMLElement {
  const times = [
    milliseconds === null ? "" : `ran ${figure(milliseconds)} ms`,
    queueMilliseconds === null ? "" : `waited ${figure(queueMilliseconds)} ms`,
  ].filter((text) => text !== "");
  const line = element(
    "p",
    "",
    `call ${place + 1} `,
    element("b", status === "ok" ? "good" : "bad", ...visible(status)),
  );
  if (times.length > 0) line.append(` · ${times.join(", ")}`);
  if (stderr === "") return line;
  return element(
    "details",
    "",
    element("summary", "", ...line.childNodes),
    element("pre", "", ...visible(stderr.slice(0, LONG_TEXT))),
  );
}
