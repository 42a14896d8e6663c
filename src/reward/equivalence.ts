import { type Budget, BudgetSpent } from "./budget";
import { AnswerComparison, type Policy } from "./compare/answers";
import { NoExactValue } from "./exact/rational";
import { parseAnswer } from "./latex/parser";
import { NotMathematics } from "./latex/tokens";
import type { Node } from "./latex/tree";

/**
 * Whether two bare answers say the same: as text, as a choice's letter, or as mathematics. False for what cannot be
 * read, and when the budget is spent.
 *
 * @param prediction the answer that is judged.
 * @param gold the answer that is right.
 */
export function semanticallyEqual(prediction: string, gold: string, policy: Policy, budget: Budget): boolean {
  const alike = spelledAlike(prediction, gold);
  if (alike !== undefined) return alike;
  const [choice, goldChoice] = [choiceLetter(prediction), choiceLetter(gold)];
  if (choice !== undefined && choice === goldChoice) return true;
  try {
    const comparison = new AnswerComparison(policy, budget);
    for (const reading of readings(prediction))
      for (const goldReading of readings(gold)) {
        const [a, b] = [read(reading), read(goldReading)];
        if (a !== undefined && b !== undefined && comparison.equivalent(a, b)) return true;
      }
    return false;
  } catch (error) {
    if (error instanceof BudgetSpent || error instanceof NoExactValue || error instanceof RangeError) return false;
    throw error;
  }
}

/** An answer as it stands; `3,5` also as a decimal with a comma, where it can be no number with thousands. */
function readings(text: string): string[] {
  const trimmed = text.trim();
  const comma = /^(-?\d+),(\d+)$/.exec(trimmed);
  if (comma === null || /^-?[1-9]\d{0,2},\d{3}$/.test(trimmed)) return [text];
  return [text, `${comma[1]}.${comma[2]}`];
}

function read(text: string): ReturnType<typeof parseAnswer> | undefined {
  try {
    return parseAnswer(text);
  } catch (error) {
    if (error instanceof NotMathematics || error instanceof NoExactValue || error instanceof RangeError)
      return undefined;
    throw error;
  }
}

/**
 * Whether a text is an answer by itself and no prose: it can be read as mathematics, and not as words alone, nor as a
 * sentence about a value.
 */
export function isMathematics(text: string): boolean {
  const node = read(text);
  if (node === undefined || node.kind === "words") return false;
  const isProse = (part: Node): boolean => part.kind === "words" && part.text.split(" ").length > 2;
  if (node.kind === "relation") return !node.sides.some(isProse);
  return node.kind !== "list" || !node.items.some((item) => item.kind === "words");
}

const MOST_CHARACTERS = 20_000;

/** Text without what LaTeX and sentences put around an answer. */
function plain(text: string): string {
  return text
    .slice(0, MOST_CHARACTERS + 1)
    .replace(/\\(?:left|right|displaystyle|,|;|:|!|quad|qquad)(?![A-Za-z])/g, "")
    .replace(/\\(?:text|textbf|textit|mathrm|mbox|mathbf|textrm)\s*\{([^{}]*)\}/g, "$1")
    .replace(/\\[dt]frac/g, "\\frac")
    .replace(/\\\(|\\\)|\\\[|\\\]|(?<!\\)\$/g, "")
    .trim()
    .replace(/[.,;:]+$/, "")
    .replace(/(\d)\s+(?=\d)/g, "$1\u0001")
    .replace(/\s+/g, "");
}

/**
 * Whether two answers are the same text, white space and wrapping apart; letters in either case when there is nothing
 * but words. Undefined when they are not and both say something; false when one says nothing or both are too long for
 * anything but a comparison as text.
 */
function spelledAlike(a: string, b: string): boolean | undefined {
  const [left, right] = [plain(a), plain(b)];
  if (left === "" || right === "") return false;
  if (left.length > MOST_CHARACTERS || right.length > MOST_CHARACTERS) return a === b;
  if (left === right) return true;
  const isWord = /^\p{L}{3,}$/u;
  return isWord.test(left) && isWord.test(right) && left.toLowerCase() === right.toLowerCase() ? true : undefined;
}

const CHOICE = /^[({]*([A-J])[)}]*[.:]?(?:\s+(?!or\b|and\b|\/)[A-Za-z][^,]*)?$/;
const LOWER_CHOICE = /^(?:[({]+([a-j])[)}]+|([a-j]))[.:]?$/;

/** The letter of a multiple choice answer, upper case: `(B)`, `b`, `{(b)}`, `B. Paris`. */
function choiceLetter(text: string): string | undefined {
  const bare = text
    .slice(0, 200)
    .replace(/\\(?:text|textbf|mathrm|mathbf|mbox)(?![A-Za-z])/g, "")
    .replace(/[$\\]/g, "")
    .trim()
    .replace(/^\{(.*)\}$/, "$1");
  const lower = LOWER_CHOICE.exec(bare);
  return CHOICE.exec(bare)?.[1] ?? (lower?.[1] ?? lower?.[2])?.toUpperCase();
}
