import { closedBoxes } from "./boxed";
import { isMathematics } from "./equivalence";

/** What is looked at where there is no box: the end of the text. */
const MOST_CHARACTERS = 3000;
const MOST_BARE_CHARACTERS = 600;
const MOST_BARE_WORDS = 4;

/**
 * The answer of a whole response: its last closed box; without any, a bare answer as it stands, or what the text claims
 * as its answer. A claim is a phrase ("the answer is", "Answer:"), the last formula, a number in bold, or a number
 * after "is", "=", ":" or in a concluding sentence. A number that merely stands in the text is none, nor has a response
 * with two `</answer>` an answer.
 *
 * @returns null when there is none.
 */
export function finalAnswer(response: string): string | null {
  return answerIn(response, false);
}

/**
 * A gold answer that is a whole solution, read as a response is; the gold answer as it stands when there is nothing to
 * extract.
 */
export function goldAnswer(gold: string): string {
  return answerIn(gold, true) ?? gold;
}

function answerIn(text: string, isGold: boolean): string | null {
  if (text.indexOf("</answer>") !== text.lastIndexOf("</answer>")) return null;
  const boxed = boxedAnswer(text, isGold);
  if (boxed !== undefined) return boxed.trim();
  if (/\\(?:boxed|fbox)/.test(text)) return null;
  const trimmed = text.trim();
  if (trimmed === "") return null;
  if (isBare(trimmed)) return trimmed;
  const end = trimmed.slice(-MOST_CHARACTERS);
  const phrased = answerAfterPhrase(end);
  if (phrased !== undefined) return phrased;
  // Of a gold answer in prose no part stands for the whole.
  return isGold ? null : (lastFormula(end) ?? lastClaim(end));
}

/**
 * What may stand between two boxes that are one answer: `\boxed{2} and \boxed{3}`, `y_1 = \boxed{..}, \quad y_2 =
 * \boxed{..}`.
 */
const CONNECTIVE = new RegExp(
  `^(?:${[
    String.raw`and|or|for part \(?\w\)?|,|;|\\[()[\],;!]|\\q?quad|\$|\s`,
    String.raw`\\text\s*\{\s*(?:for part \(?\w\)?|and|or|,|\s)*\}`,
    String.raw`[A-Za-z](?:_\{?\w\}?)?\s*=`,
  ].join("|")})*$`,
);
const MOST_BETWEEN = 60;
const MOST_CONNECTING_WORDS = 2;
const MOST_BOXES = 40;

/**
 * The answer in the last closed `\boxed{}`, together with those right before it that it is joined to.
 * @param adjacent whether boxes with nothing between them are one answer too: in a gold answer they are, in a
 * prediction the last one stands alone.
 * @returns undefined when there is no closed box.
 */
function boxedAnswer(text: string, adjacent: boolean): string | undefined {
  const boxes = closedBoxes(text);
  const last = boxes.at(-1);
  if (last === undefined) return undefined;
  const answers = [last.content];
  for (let index = boxes.length - 2; index >= 0; index--) {
    const [box, next] = [boxes[index], boxes[index + 1]];
    if (box === undefined || next === undefined) break;
    const between = text.slice(box.end, next.start);
    if (!adjacent && !/[,;a-z=]/.test(between)) break;
    if (between.length > MOST_BETWEEN || !CONNECTIVE.test(between)) break;
    if ((between.match(/\b(?:and|or)\b/g)?.length ?? 0) > MOST_CONNECTING_WORDS) break;
    answers.push(box.content);
    if (answers.length > MOST_BOXES) break;
  }
  return answers.every((answer) => answer === last.content) ? last.content : answers.reverse().join(", ");
}

/** Mathematics, or a few words that do not speak of an answer. */
export function isBare(text: string): boolean {
  if (text.length > MOST_BARE_CHARACTERS) return false;
  // Formulas in a sentence.
  const around = text.replace(FORMULA, "");
  if (around.length < text.length && /(?<!\\)\b[A-Za-z]{2,}\W+[A-Za-z]{2,}/.test(around)) return false;
  if (!text.includes("\n") || text.includes("\\begin")) if (isMathematics(text)) return true;
  return (
    text.split(/\s+/).length <= MOST_BARE_WORDS &&
    !/\n|\b(?:answer|is|are|just|the)\b/i.test(text) &&
    (/^\d/.test(text) || !/[\d$]|\\[([]/.test(text))
  );
}

/** Phrases after which the answer stands, the strongest first. */
const PHRASES: readonly RegExp[] = [
  /final answer(?: is|:)+\s*(?:is\b)?/gi,
  /(?:answer|résultat|réponse|respuesta|antwort)\s+(?:is|est|es|ist)\b:?/gi,
  /(?:^|\n)\s*#{4}/g,
  /(?:^|[\n.]\s*)\**(?:answer|a|答案)\**\s*[:：]\**/gi,
  /答案是?[:：]?/g,
];

const REFUSAL = /\b(?:not|never|neither|unknown|between|either|maybe|perhaps)\b|n't\b/i;

/** What is said to be the answer; null when that is taken back, undefined when nothing is said to be it. */
function answerAfterPhrase(text: string): string | null | undefined {
  for (const phrase of PHRASES) {
    const last = [...text.matchAll(phrase)].at(-1);
    if (last === undefined) continue;
    const rest = text.slice(last.index + last[0].length);
    // One answer is asked for, and said to be right.
    if (REFUSAL.test(/^\s*([^\n.]*)/.exec(rest)?.[1] ?? "")) return null;
    const answer = stated(rest);
    if (answer !== null) return answer;
  }
  return undefined;
}

const FORMULA = /\$\$([^$]+)\$\$|(?<!\\)\$((?:[^$\n\\]|\\.)+)\$|\\\(([^\n]*?)\\\)|\\\[([\s\S]*?)\\\]/g;

function formulas(text: string): string[] {
  return [...text.matchAll(FORMULA)]
    .map((match) => (match[1] ?? match[2] ?? match[3] ?? match[4] ?? "").trim().replace(/[.,;]+$/, ""))
    .filter((formula) => formula !== "");
}

/** What follows a phrase: a formula, an expression, or a sentence that ends in one. */
function stated(rest: string): string | null {
  const sentence = (/^\s*([^\n]*)/.exec(rest)?.[1] ?? "").split(/\.\s+(?=[A-Z<[])|\.$|<\|/)[0]?.trim() ?? "";
  if (sentence === "") return null;
  const [formula] = formulas(sentence);
  if (/^[$\\]/.test(sentence) && formula !== undefined) return formula;
  const letter = /^\(?([A-J])\)?(?=$|[\s.:,)])(?!\s*[-+=*/^])/.exec(sentence)?.[1];
  if (letter !== undefined) return letter;
  if (isMathematics(sentence)) return sentence;
  const claim = formulas(sentence).at(-1);
  const copula = /.*(?:\b(?:is|are|equals|be)\b|[=:])\s*(.+)$/.exec(sentence)?.[1];
  if (copula !== undefined) {
    const inner = formulas(copula)[0] ?? copula.trim();
    if (isMathematics(inner)) return inner;
    const number = NUMBER.exec(copula);
    if (number !== null) return number[0];
  }
  return claim ?? NUMBER.exec(sentence)?.[0] ?? (sentence.split(/\s+/).length <= MOST_BARE_WORDS ? sentence : null);
}

const NUMBER = /(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+|,\d+)?(?:\s?%)?(?![\w])/;
const ALL_NUMBERS = /[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:[.,]\d+)?(?:\s?%)?/g;
const UNREADABLE = /^[A-Z]{1,4}$/;

/** The last formula of the text that can be an answer, if it stands in its last sentences. */
function lastFormula(text: string): string | null {
  const readable = formulas(text).filter((formula) => !UNREADABLE.test(formula) && isMathematics(formula));
  const formula = readable.at(-1);
  if (formula === undefined) return null;
  // A number claimed after the last formula is later, and so the answer.
  const after = text.slice(text.lastIndexOf(formula) + formula.length);
  return lastClaim(after) ?? formula;
}

const CONCLUSION = /^(?:so|thus|therefore|hence|因此|所以|इसलिए|donc|لذا|en conclusion)(?![a-z])/i;

/** A number that is claimed: behind "is", "=" or ":", and before no operator. */
const CLAIMED = new RegExp(
  [
    String.raw`(?:\b(?:is|are|equals|was|est)|[=:：]|是)\s*(?:approximately |about |now |\$)*`,
    String.raw`([-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:[.,]\d+)?(?:\s?%)?)`,
    String.raw`(?!\w*\s*[-+*/×÷]\s*\d)`,
  ].join(""),
  "gi",
);

/**
 * The last number that the text claims: in bold, after "is", "=", ":", or the last one of a sentence that concludes.
 */
function lastClaim(text: string): string | null {
  const bold = [...text.matchAll(/\*\*([^*\n]+)\*\*/g)]
    .map((match) => match[1]?.match(ALL_NUMBERS)?.at(-1))
    .filter((number) => number !== undefined);
  const sentences = text
    .split(/(?<=[.!?。।])\s*(?=\D)|\n+/)
    .map((sentence) => sentence.replace(/^[\s.$\])\\]+/, ""))
    .filter((sentence) => sentence.trim() !== "");
  const last = sentences.at(-1)?.trim() ?? "";
  const boldLast = bold.at(-1);
  if (boldLast !== undefined && last.includes(boldLast)) return boldLast.trim();
  const claimed = [...text.matchAll(CLAIMED)].at(-1);
  const conclusion = sentences.filter((sentence) => CONCLUSION.test(sentence.trim())).at(-1);
  const concluded = conclusion === undefined ? undefined : conclusion.match(ALL_NUMBERS)?.at(-1);
  if (claimed?.[1] !== undefined && (concluded === undefined || text.lastIndexOf(conclusion ?? "") <= claimed.index))
    return claimed[1].trim();
  return concluded?.trim() ?? null;
}
