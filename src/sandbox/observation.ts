/**
 * From a block of model text to the program that is run, and from its result to the text that goes back into the
 * context (ZeroTIR). The caller turns the text into tokens, gives them mask 0, and counts them.
 */
import type { PythonResult } from "./engine";

/** Opens a program in the model's text. */
export const CODE_OPENING = "```python";
/** Closes it. */
export const CODE_CLOSING = "```";
/** Stands in for a result whose wrapped form has more tokens than allowed. */
export const OVERLONG_NOTICE = "The output of the code execution is too long, please check your code.";
/**
 * The program in a block: what stands between the last opening fence, if there is one, and the first closing fence
 * after it. Blank lines around it are dropped and line ends become "\n"; the first line's indentation is taken off
 * every line that has it, so that an indented block still is a program. Empty when there is nothing to run.
 */
export function extractCode(block: string): string {
  const opening = block.lastIndexOf(CODE_OPENING);
  const after = opening < 0 ? block : block.slice(opening + CODE_OPENING.length);
  const closing = after.indexOf(CODE_CLOSING);
  const text = (closing < 0 ? after : after.slice(0, closing)).replace(/\r\n?/g, "\n").replaceAll("\0", "");
  const lines = text.split("\n");
  while (lines.length > 0 && lines[0]?.trim() === "") lines.shift();
  while (lines.length > 0 && lines.at(-1)?.trim() === "") lines.pop();
  const indent = /^[ \t]*/.exec(lines[0] ?? "")?.[0] ?? "";
  return lines.map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line)).join("\n");
}

/**
 * The result as the model is to see it, not yet wrapped: stdout of a program that ended well, the cleaned traceback
 * of one that failed, otherwise a name for what ended it. The names are those of ZeroTIR's execution service; it knows
 * no output limit, and a program that writes without end is told the same as one that writes too much.
 */
export function observationText(result: PythonResult): string {
  switch (result.status) {
    case "ok":
      return sanitise(result.stdout);
    case "error":
    case "oom":
      return sanitise(cleanTraceback(result.stderr));
    case "timeout":
      return "TimeLimitExceeded";
    case "output_limit":
      return OVERLONG_NOTICE;
    case "crash":
      return "RunTime ERROR";
  }
}

/** A traceback without file names and without the carets under the source line. */
export function cleanTraceback(stderr: string): string {
  return stderr.replace(/File "[^"\n]*", /g, "").replaceAll("^", "");
}

const ESCAPE = "\u001b";
/** CSI and OSC sequences, then any other escape of two characters. */
const ESCAPES = new RegExp(
  [`${ESCAPE}\\[[0-?]*[ -/]*[@-~]`, `${ESCAPE}\\][^\u0007${ESCAPE}]*(?:\u0007|${ESCAPE}\\\\)?`, `${ESCAPE}[ -~]?`].join(
    "|",
  ),
  "g",
);

/**
 * Plain text: no terminal escapes, no control characters but tab and line feed, no text-direction marks, no
 * byte-order mark, no lone surrogates (they become U+FFFD).
 */
export function sanitise(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(ESCAPES, "")
    .replace(/\p{Cs}/gu, "\ufffd")
    .replace(/(?![\t\n])[\p{Cc}\p{Bidi_Control}\ufeff]/gu, "");
}

/** The result between its fences. White space at the end of a result that ends with a line feed is dropped. */
export function wrapObservation(text: string): string {
  return `\n\`\`\`output\n${text.endsWith("\n") ? text.trimEnd() : text}\n\`\`\`\n\n\n`;
}
