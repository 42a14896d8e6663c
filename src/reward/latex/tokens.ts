import { at } from "../../base/must";
import { FUNCTIONS, IGNORED, NAMES, OPERATORS, PLAIN_NAMES, TEXT_COMMANDS } from "./commands";
import { asciiMathematics } from "./unicode";

export interface Token {
  /**
   * `number`: digits with at most one point. `name`: a letter or a command's name. `letters`: two or three plain
   * letters, a product or a unit. `function`: a known function. `words`: text. `operator`: anything else.
   */
  readonly kind: "number" | "name" | "letters" | "function" | "words" | "operator";
  readonly text: string;
  /** Whether white space stands before it. */
  readonly spaced: boolean;
}

/** Thrown for text that is no mathematics that we read. */
export class NotMathematics extends Error {
  override readonly name = "NotMathematics";
}

export const MOST_CHARACTERS = 4000;

/**
 * Splits LaTeX or plain text into tokens.
 * @throws NotMathematics for more than 4,000 characters and for characters that mathematics has no use for.
 */
export function tokenize(source: string): Token[] {
  if (source.length > MOST_CHARACTERS) throw new NotMathematics("too long");
  const tokens: Token[] = [];
  scan(asciiMathematics(source), tokens, false);
  return splitArguments(tokens);
}

/** `\frac12` and `\frac1{72}`: an argument without braces is one digit. */
function splitArguments(tokens: Token[]): Token[] {
  const result: Token[] = [];
  /** Arguments still awaited in each open group. */
  const waiting = [0];
  for (const token of tokens) {
    const top = waiting.length - 1;
    const awaited = at(waiting, top);
    const operator = token.kind === "operator" ? token.text : "";
    if (awaited > 0 && operator !== "}") waiting[top] = awaited - 1;
    if (operator === "frac" || operator === "binom") waiting[top] = 2;
    else if (operator === "{") waiting.push(0);
    else if (operator === "}" && top > 0) waiting.pop();
    if (awaited > 0 && token.kind === "number" && /^\d\d/.test(token.text)) {
      const cuts = awaited === 2 ? [0, 1, 2] : [0, 1];
      waiting[top] = 0;
      for (const [index, cut] of cuts.entries()) {
        const text = token.text.slice(cut, cuts[index + 1]);
        if (text !== "") result.push({ kind: "number", text, spaced: false });
      }
    } else result.push(token);
  }
  return result;
}

const THOUSANDS =
  /(?<![\d.])\d{1,3}(?:(?:,\\!|\{,\}|\\,|\\!,?|,)\s?\d{3})+(?!\d)|(?<![\d.])\d{1,3}(?:\\[ ]\d{3})+(?!\d)/y;
const NUMBER = /\d+\.\d+[eE][+-]?\d{1,3}(?!\d)|\d+[eE](?:[+-]\d\d|\d{1,3})(?![\d.])|\d+(?:\.\d+|\.(?!\.))?|\.\d+/y;
const COMMAND = /\\(?:[A-Za-z]+|[\s\S])/y;
const LETTERS = /[A-Za-z]+/y;

function scan(text: string, tokens: Token[], isPlain: boolean): void {
  let at = 0;
  let spaced = false;
  const push = (kind: Token["kind"], content: string) => {
    tokens.push({ kind, text: content, spaced });
    spaced = false;
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const character = text[at] ?? "";
    if (/[\s~$]/.test(character)) {
      at += 1;
      spaced = true;
      continue;
    }
    if (/[\d.]/.test(character)) {
      const grouped = match(THOUSANDS);
      // A space after the comma separates list items, unless the comma is LaTeX's thousands separator.
      if (grouped !== undefined && !/\d,\s/.test(grouped)) {
        at += grouped.length;
        const places = match(/\.\d+/y) ?? "";
        at += places.length;
        push("number", grouped.replace(/\D/g, "") + places);
        continue;
      }
      const number = match(NUMBER);
      if (number !== undefined) {
        at += number.length;
        push("number", number);
        continue;
      }
      if (text.startsWith("...", at)) {
        push("operator", "dots");
        at += 3;
        continue;
      }
      throw new NotMathematics("a lone point");
    }
    if (character === "\\") {
      const command = match(COMMAND);
      if (command === undefined) throw new NotMathematics("a lone backslash");
      at += command.length;
      const name = command.slice(1);
      if (TEXT_COMMANDS.has(name)) {
        while (text[at] === " ") at += 1;
        if (text[at] !== "{") continue;
        const end = closing(text, at);
        const content = text.slice(at + 1, end);
        at = end + 1;
        textTokens(content, tokens, spaced, push);
        spaced = true;
        continue;
      }
      if (name === " " || name === "\n") {
        spaced = true;
        continue;
      }
      // `\:` and `\,` and the like are spaces; `\left.` and `\right.` are invisible brackets.
      if (IGNORED.has(name)) {
        if ((name === "left" || name === "right") && text[at] === ".") at += 1;
        if (name === "," || name === "quad" || name === "qquad" || name === ";" || name === ":") spaced = true;
        continue;
      }
      if (name === "begin" || name === "end") {
        const environment = match(/\s*\{([A-Za-z]+)\*?\}/y);
        if (environment === undefined) throw new NotMathematics("an environment without a name");
        at += environment.length;
        push("operator", name);
        if (name === "begin") push("name", environment.replace(/[^A-Za-z]/g, ""));
        continue;
      }
      const operator = OPERATORS[name];
      if (operator !== undefined) push("operator", operator);
      else if (FUNCTIONS.has(name)) push("function", name);
      else if (/^[A-Za-z]/.test(name)) push("name", NAMES[name] ?? name);
      else throw new NotMathematics("an unknown command");
      continue;
    }
    if (/[A-Za-z]/.test(character)) {
      const letters = match(LETTERS) ?? character;
      at += letters.length;
      lettersToken(letters, isPlain, push);
      continue;
    }
    const two = text.slice(at, at + 2);
    const pair = ({ "**": "^", "<=": "<=", ">=": ">=", "!=": "!=", "==": "=" } as const)[two];
    if (pair !== undefined) {
      push("operator", pair);
      at += 2;
      continue;
    }
    if (!"+-*/^_(){}[]|=<>,;:!%'&€£".includes(character)) throw new NotMathematics("an unknown character");
    push("operator", character === "€" || character === "£" ? "currency" : character);
    at += 1;
  }
}

/** Index of the brace that closes the one at `open`. @throws NotMathematics when there is none. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "{") depth += 1;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  throw new NotMathematics("an open brace");
}

/** `\text{...}`: words, or mathematics when it holds digits, a single letter or a letter in brackets. */
function textTokens(
  content: string,
  tokens: Token[],
  spaced: boolean,
  push: (kind: Token["kind"], text: string) => void,
): void {
  const plain = content.replace(/[~\s]+|\\[ ,;!]/g, " ").trim();
  if (plain === "") return;
  if (/^\(?[A-Za-z]\)?$/.test(plain) || (/\d/.test(plain) && !/[A-Za-z]{2}/.test(plain))) {
    // A letter after a number is its unit, unless it is a constant.
    if (/^[A-DF-Za-df-hj-z]$/.test(plain) && tokens.at(-1)?.kind === "number") {
      push("words", plain);
      return;
    }
    const inner: Token[] = [];
    scan(plain, inner, true);
    tokens.push(...inner.map((token, index) => (index === 0 ? { ...token, spaced } : token)));
  } else if (FUNCTIONS.has(plain)) push("function", plain);
  else if (/^,?\s*(and|or)\s*,?$/i.test(plain)) push("operator", ",");
  else if (/^\\?%$/.test(plain)) push("operator", "%");
  // A comma or full stop at an end belongs to the sentence around it.
  else push("words", plain.replace(/[.,;:]+$/, "").replace(/^[,;:]+\s*/, ""));
}

function lettersToken(letters: string, isPlain: boolean, push: (kind: Token["kind"], text: string) => void): void {
  const lower = letters.toLowerCase();
  const name = PLAIN_NAMES[lower];
  if (FUNCTIONS.has(lower) && lower.length > 2) push("function", lower);
  else if (letters === "ln") push("function", "ln");
  else if (lower === "and" || lower === "or") push("operator", ",");
  else if (name !== undefined) push("name", name);
  else if (letters.length === 1) push("name", letters);
  else if (isPlain || letters.length > 3 || lower === "not") push("words", letters);
  else push("letters", letters);
}
