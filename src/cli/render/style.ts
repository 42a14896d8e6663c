import type { Output } from "../io";

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
export type Colour = keyof typeof CODES;

/** Colours on a terminal, plain text anywhere else and where NO_COLOR is set (no-color.org). */
export class Style {
  readonly enabled: boolean;

  constructor(output: Output, env: Readonly<Record<string, string | undefined>>) {
    this.enabled = output.isTerminal && (env.NO_COLOR ?? "") === "";
  }

  paint(colour: Colour, text: string): string {
    return this.enabled && text !== "" ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
  }
}

/** Characters that a line takes on the terminal, colours not counted. All that is drawn here is one column wide. */
export function visibleWidth(line: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  return [...line.replace(/\u001b\[\d+m/g, "")].length;
}
