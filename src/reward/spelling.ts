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
export function spelledAlike(a: string, b: string): boolean | undefined {
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
export function choiceLetter(text: string): string | undefined {
  const bare = text
    .slice(0, 200)
    .replace(/\\(?:text|textbf|mathrm|mathbf|mbox)(?![A-Za-z])/g, "")
    .replace(/[$\\]/g, "")
    .trim()
    .replace(/^\{(.*)\}$/, "$1");
  const lower = LOWER_CHOICE.exec(bare);
  return CHOICE.exec(bare)?.[1] ?? (lower?.[1] ?? lower?.[2])?.toUpperCase();
}
