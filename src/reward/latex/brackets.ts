import { NotMathematics, type Token } from "./tokens";

export const OPENING: Readonly<Record<string, readonly string[]>> = {
  "(": [")", "]"],
  "[": ["]", ")"],
  "{": ["}"],
  "\\{": ["\\}"],
  lfloor: ["rfloor"],
  lceil: ["rceil"],
  langle: ["rangle"],
  begin: ["end"],
};
const CLOSING: ReadonlySet<string> = new Set(Object.values(OPENING).flat());

export const isOperator = (token: Token | undefined, ...texts: readonly string[]): boolean =>
  token?.kind === "operator" && texts.includes(token.text);

/** The bracket that closes the one at `open`. @throws NotMathematics when it is missing or of a wrong kind. */
export function matchingBracket(tokens: readonly Token[], open: number): number {
  const stack: string[] = [];
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at];
    if (token?.kind !== "operator") continue;
    if (token.text in OPENING) stack.push(token.text);
    else if (CLOSING.has(token.text)) {
      const opened = stack.pop();
      if (opened === undefined || !OPENING[opened]?.includes(token.text)) throw new NotMathematics("brackets");
      if (stack.length === 0) return at;
    }
  }
  throw new NotMathematics("an open bracket");
}

/**
 * Parts between separators outside all brackets, and the separators. @throws NotMathematics when brackets do not match.
 */
export function splitOutside(
  tokens: readonly Token[],
  isSeparator: (token: Token) => boolean,
): { parts: Token[][]; separators: string[] } {
  const parts: Token[][] = [[]];
  const separators: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (token.kind === "operator" && token.text in OPENING) {
      const end = matchingBracket(tokens, at);
      for (; at < end; at++) parts.at(-1)?.push(tokens[at] as Token);
      parts.at(-1)?.push(tokens[end] as Token);
    } else if (token.kind === "operator" && CLOSING.has(token.text)) {
      throw new NotMathematics("a lone bracket");
    } else if (isSeparator(token)) {
      separators.push(token.text);
      parts.push([]);
    } else parts.at(-1)?.push(token);
  }
  return { parts, separators };
}

/** Tokens in one spelling, for names and for what is compared as text. */
export function spell(tokens: readonly Token[]): string {
  return tokens.map((token) => token.text).join(" ");
}
