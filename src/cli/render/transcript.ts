import type { Transcript, TranscriptSegment } from "../../session/events";
import type { Colour, Style } from "./style";
import { figure, plainText, shorten } from "./text";

const GUTTERS: Record<TranscriptSegment["kind"], { label: string; colour: Colour }> = {
  text: { label: "model", colour: "bold" },
  code: { label: "python", colour: "cyan" },
  observation: { label: "observation", colour: "yellow" },
};
const LABEL_WIDTH = 12;
const MOST_LINES = 24;

/**
 * A trajectory as lines: who wrote each stretch stands in the margin, so that the tool's output (`observation`, with
 * a dotted rule) cannot be taken for the model's text.
 */
export function transcriptLines(sample: Transcript, style: Style, columns: number): string[] {
  const reward = sample.reward;
  const verdict =
    reward === undefined
      ? ""
      : style.paint(reward > 0 ? "green" : "red", `${reward > 0 ? "✓" : "✗"} reward ${figure(reward)}`);
  const title = [
    style.paint("bold", sample.step > 0 ? `sample of step ${sample.step}` : "sample"),
    verdict,
    `${sample.modelTokens} ${sample.modelTokens === 1 ? "token" : "tokens"}`,
    sample.finishReason === "length" ? style.paint("red", "cut off at the length limit") : "",
    sample.answer === undefined ? "" : `answer ${shorten(plainText(sample.answer).replaceAll("\n", " "), 40)}`,
  ];
  const width = Math.max(20, columns - LABEL_WIDTH - 6);
  const body = [
    ...block("prompt", "dim", "│", sample.prompt, style, width),
    ...sample.segments.flatMap(({ kind, text }) => {
      const { label, colour } = GUTTERS[kind];
      return block(label, colour, kind === "observation" ? "┊" : "│", text, style, width);
    }),
  ];
  const shown =
    body.length > MOST_LINES
      ? [
          ...body.slice(0, MOST_LINES / 2),
          gutter("", `… ${body.length - MOST_LINES} lines left out`, "│", style),
          ...body.slice(-MOST_LINES / 2),
        ]
      : body;
  return [`  ┌ ${title.filter((part) => part !== "").join(style.paint("dim", " · "))}`, ...shown, "  └"];
}

function block(label: string, colour: Colour, rule: string, text: string, style: Style, width: number): string[] {
  const lines = plainText(text).split("\n");
  while (lines.length > 0 && lines[0]?.trim() === "") lines.shift();
  while (lines.length > 0 && lines.at(-1)?.trim() === "") lines.pop();
  return lines
    .flatMap((line) => wrap(line, width))
    .map((line, i) => gutter(i === 0 ? label : "", style.paint(colour, line), rule, style));
}

function gutter(label: string, line: string, rule: string, style: Style): string {
  return `  ${rule} ${style.paint("dim", label.padEnd(LABEL_WIDTH))}${line}`.trimEnd();
}

function wrap(line: string, width: number): string[] {
  const characters = [...line];
  if (characters.length <= width) return [line];
  const rows: string[] = [];
  for (let at = 0; at < characters.length; at += width) rows.push(characters.slice(at, at + width).join(""));
  return rows;
}
