/** One rollout on the page: every token as an element that can be pointed at. */
import { at } from "../../../base/must";
import { element, visible } from "../../../web/elements";
import { figure, fixed } from "../../../web/format";
import { rewardChip, rolloutCard, stretch, WRITERS } from "../../../web/rollout-card";
import type { Rollout, TokenKind, ToolCall } from "../run-data";

/** Classes of shading: how little the model expected a token, from 0 to this. */
const SHADES = 5;
/** Nats per shade: the darkest is below a probability of about 1 percent. */
const NATS_PER_SHADE = 1;

/** Of a longer standard error only the beginning is shown. */
const LONG_TEXT = 4000;

export function rolloutElement(rollout: Rollout): HTMLElement {
  const { prompt, tokens, text, segments, tools } = rollout;
  const answer =
    tokens === null
      ? [stretch("whole", plain(text), "tokens unknown: no tokenizer.json was found")]
      : segments.map(([kind, start, end]) =>
          stretch(kind, tokenBox(rollout, kind, start, end), kind === "observation" ? "not trained on" : ""),
        );
  const calls = tools.map(toolLine);
  return rolloutCard(header(rollout), [
    stretch("prompt", plain(prompt)),
    ...answer,
    ...(calls.length > 0 ? [element("div", "calls", ...calls)] : []),
  ]);
}

function header({ reward, advantage, step, group, sample, ids, mask, finishReason }: Rollout): HTMLElement[] {
  const own = mask.split("1").length - 1;
  const observed = ids.length - own;
  const made = [
    advantage === null
      ? element("span", "chip", "filtered out")
      : element("span", "chip", `advantage ${advantage > 0 ? "+" : ""}${fixed(advantage, 2)}`),
    element("span", "", `step ${step} · prompt ${group + 1} · sample ${sample + 1}`),
    element("span", "", `${own} model tokens${observed > 0 ? ` + ${observed} observed` : ""}`),
  ];
  if (finishReason === "length") made.push(element("span", "chip bad", "cut off"));
  else if (finishReason !== "stop") made.push(element("span", "", ...visible(finishReason)));
  return reward === null ? made : [rewardChip(reward), ...made];
}

function plain(text: string): HTMLElement {
  return element("pre", "", ...visible(text));
}

function tokenBox(rollout: Rollout, kind: TokenKind, start: number, end: number): HTMLElement {
  const box = element("pre", "");
  for (let i = start; i < end; i++) box.append(tokenElement(rollout, i, i === start, i === end - 1));
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", `${WRITERS[kind]}: ${end - start} tokens; arrow keys read them one by one`);
  return box;
}

/** A line break is shown by a sign, and breaks the line where it is inside of the stretch. */
function tokenElement(
  { tokens, mask, logprobs }: Rollout,
  index: number,
  isFirst: boolean,
  isLast: boolean,
): HTMLElement {
  const text = tokens === null ? "" : at(tokens, index);
  const made = element("span", "token");
  made.dataset.index = String(index);
  if (mask[index] === "1") {
    const shade = Math.min(SHADES, Math.floor(-at(logprobs, index) / NATS_PER_SHADE));
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
