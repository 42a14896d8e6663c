/** Makes text that a model or a program wrote safe to show, and puts figures into words. */

/**
 * Text without anything that could steer a terminal or deceive its reader: escape sequences, control characters other
 * than tab and line break, and marks that reorder or hide what stands on the line.
 */
export function plainText(text: string): string {
  return text
    .replace(ESCAPE_SEQUENCE, "")
    .replace(/\r\n?/g, "\n")
    .replace(UNSEEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replace(/\t/g, "    ");
}

const ESCAPE = "\u001b";
const TERMINATOR = `(?:\u0007|${ESCAPE}\\\\|\u009c)`;
/** In 7-bit and 8-bit form: CSI sequences, then strings (OSC and its like) with or without an end, then all others. */
const ESCAPE_SEQUENCE = new RegExp(
  `(?:${ESCAPE}\\[|\u009b)[0-?]*[ -/]*[@-~]` +
    `|(?:${ESCAPE}[\\]PX^_]|[\u0090\u0098\u009d\u009e\u009f])[^\u0007${ESCAPE}\u009c\n]*${TERMINATOR}?` +
    `|${ESCAPE}[ -/]*[0-~]`,
  "g",
);
// Control, format (bidirectional, zero-width), private-use and lone surrogate characters.
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/** `0.4375` as `43.8%`; a missing share as a dash. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined || !Number.isFinite(share) ? "–" : `${(100 * share).toFixed(1)}%`;
}

/** A figure with three significant digits, thousands separated; a missing one as a dash. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e9)) return value.toExponential(2);
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en").replaceAll(",", " ");
  return String(Number(value.toPrecision(3)));
}

/** `3.2 s`, `1 min 40 s`, `2 h 05 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

/** At most `width` characters; what is cut off leaves an ellipsis. */
export function shorten(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join("")}…`;
}

/** Lines of at most `width` characters, broken at spaces; a longer word has a line of its own. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && [...last].length + 1 + [...word].length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
