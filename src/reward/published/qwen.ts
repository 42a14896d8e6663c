import { at } from "../../base/must";
import type { Budget } from "../budget";
import type { Policy } from "../compare/answers";
import { semanticallyEqual } from "../equivalence";
import { braceFractions, braceRoots, slashFraction } from "./braces";

/** The end of a response in which numbers and sentences are looked for. */
const LAST_CHARACTERS = 20_000;

/**
 * What follows the last `boxed`: to the matching brace, to the end when that is missing; without a brace to the next
 * dollar sign.
 */
export function lastBoxText(text: string): string | null {
  const at = text.lastIndexOf("boxed");
  if (at < 0) return null;
  const rest = text.slice(at + "boxed".length);
  if (rest === "") return "";
  if (!rest.startsWith("{")) return (rest.split("$")[0] ?? "").trim();
  let depth = 0;
  for (let index = 0; index < rest.length; index++) {
    if (rest[index] === "{") depth += 1;
    else if (rest[index] === "}" && --depth === 0) return rest.slice(1, index);
  }
  return rest.slice(1);
}

/**
 * The order in which Qwen2.5-Math's evaluation looks for an answer: Minerva's sentence, a box, two phrases, the last
 * number.
 */
export function qwenAnswer(response: string): string | null {
  const text = response.slice(-LAST_CHARACTERS);
  const minerva = text.lastIndexOf("final answer is $");
  const closing = text.indexOf("$. I hope", minerva);
  if (minerva >= 0 && closing >= 0) return text.slice(minerva + "final answer is $".length, closing).trim();
  const boxed = lastBoxText(response);
  if (boxed !== null) return boxed;
  for (const phrase of ["he answer is", "final answer is", "答案是"]) {
    const at = text.lastIndexOf(phrase);
    if (at >= 0)
      return (text.slice(at + phrase.length).split("\n")[0] ?? "").trim().replace(/^:\s*/, "").replace(/\.$/, "");
  }
  return (
    text
      .replaceAll(",", "")
      .match(/-?\d*\.?\d+/g)
      ?.at(-1) ?? null
  );
}

/**
 * Words that Qwen2.5-Math's evaluation takes off an answer as units. The points are, as published, patterns for any
 * character.
 */
const UNITS =
  `east|degree|mph|kmph|ft|m sqaure| m east|sq m|deg|mile|q .|monkey|prime|ratio|profit of rs|rd|o|gm|p . m|lb|tile|per|dm|lt|gain|ab|way|west|a .|b .|c .|d .|e .|f .|g .|h .|t|a|h|no change|men|soldier|pie|bc|excess|st|inches|noon|percent|by|gal|kmh|c|acre|rise|a . m|th|π r 2|sq|mark|l|toy|coin|sq . m|gallon|° f|profit|minw|yr|women|feet|am|pm|hr|cu cm|square|v â € ™|are|rupee|rounds|cubic|cc|mtr|s|ohm|number|day|hour|minute|min|second|man|woman|sec|cube|mt|sq inch|mp|∏ cm ³|hectare|more|unit|cu . m|cm 2|rs .|rs|kg|g|month|km|m|cm|mm|apple|liter|loss|yard|pure|year|increase|decrease|d|less|Surface|litre|pi sq m|s .|metre|meter|inch`.split(
    "|",
  );

/** Longer answers name no unit. */
const MOST_UNIT_CHARACTERS = 500;

const UNIT_PATTERNS = UNITS.flatMap((word) => [word, `${word}s`]).map(
  (word) => new RegExp(`(^|\\W)(?:${word})($|\\W)`, "g"),
);

/** One pass over all words; a result that would be empty is not taken. */
function withoutUnits(text: string): string {
  if (text.length > MOST_UNIT_CHARACTERS) return text;
  let result = text;
  for (const pattern of UNIT_PATTERNS) {
    const shorter = result.replace(pattern, "$1$2");
    if (shorter !== "") result = shorter;
  }
  return result;
}

const NUMBER_WORDS =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split(
    " ",
  );

/**
 * The normal form in which Qwen2.5-Math's evaluation compares answers (arXiv 2409.12122, its published code), with its
 * known faults.
 */
export function qwenNormalForm(answer: string): string {
  let text = answer.trim().replaceAll("\n", "").replace(/\.+$/, "").replaceAll("\\!", "");
  text = text
    .replace(/\\begin\{array\}\{.*?\}/g, "\\begin{pmatrix}")
    .replace(/\\end\{array\}/g, "\\end{pmatrix}")
    .replaceAll("bmatrix", "pmatrix")
    .replace(/[td]frac/g, "frac")
    .replaceAll("\\neq", "\\ne")
    .replaceAll("\\leq", "\\le")
    .replaceAll("\\geq", "\\ge")
    .replace(/\\left|\\right/g, "")
    .replaceAll("\\{", "{")
    .replaceAll("\\}", "}");
  const withoutUnit = text.replace(/\\text\{.*?\}$/, "").trim();
  if (withoutUnit !== "") text = withoutUnit;
  text = withoutUnits(withoutUnits(text));
  text = text.replace(/\^\{\\circ\}|\^\\circ/g, "").replace(/\\?\$/g, "");
  const word = NUMBER_WORDS.indexOf(text.trim().toLowerCase());
  if (word >= 0) text = String(word);
  text = text.replace(/\\text\{(.*?)\}/g, "$1");
  for (const key of ["x=", "y=", "z=", "x\\in", "y\\in", "z\\in", "x\\to", "y\\to", "z\\to"])
    text = text.replaceAll(key, "");
  text = text
    .replaceAll("\\emptyset", "{}")
    .replaceAll("(-\\infty,\\infty)", "\\mathbb{R}")
    .replace(/\\?%/g, "")
    .replaceAll(" .", " 0.")
    .replaceAll("{.", "{0.");
  if (/^(?:\([\p{L}\p{N}]+\)|\[[\p{L}\p{N}]+\]|\{[\p{L}\p{N}]+\})$/u.test(text)) text = text.slice(1, -1);
  text = text.replaceAll("infinity", "\\infty");
  if (!text.includes("\\infty")) text = text.replaceAll("inf", "\\infty");
  text = text
    .replaceAll("and", "")
    .replaceAll("\\mathbf", "")
    .replace(/\\mbox\{.*?\}/g, "")
    .replaceAll("'", "")
    .replaceAll('"', "");
  if (text.includes("j") && !text.includes("i")) text = text.replaceAll("j", "i");
  text = text.replace(/(?<=\d)\.0*([^\d])/g, "$1").replace(/(?<=\d)\.0*$/, "");
  if (text === "") return text;
  if (text.startsWith(".")) text = `0${text}`;
  const sides = text.split("=");
  if (sides.length === 2 && (sides[0]?.length ?? 0) <= 2) text = sides[1] ?? "";
  return slashFraction(braceFractions(braceRoots(text).replaceAll(" ", "")));
}

const RELATIVE_TOLERANCE = 1e-4;
const MOST_PARTS = 60;

/**
 * Qwen2.5-Math's comparison of normal forms: the same text or choice; numbers within 1e-4, a percentage counting as its
 * hundredth and its hundredfold; brackets of any kind alike; parts one by one in order. Where the published code then
 * asks sympy, the semantic comparison of the other profiles decides.
 */
export function qwenEqual(prediction: string, gold: string, policy: Policy, budget: Budget): boolean {
  budget.step();
  if (prediction.trim().toLowerCase() === gold.trim().toLowerCase()) return true;
  if (/^[A-E]$/.test(gold) && choice(prediction) === gold) return true;
  const [value, goldValue] = [parseNumber(prediction), parseNumber(gold)];
  if (value !== undefined && goldValue !== undefined)
    return [goldValue / 100, goldValue, goldValue * 100].some(
      (reference) => Math.abs(value - reference) <= RELATIVE_TOLERANCE * Math.max(Math.abs(value), Math.abs(reference)),
    );
  if (prediction === "") return false;
  const bare = (text: string) => text.replace(/[(){}[\]]/g, "").toLowerCase();
  if (bare(prediction) === bare(gold)) return true;
  const [parts, goldParts] = [bracketed(prediction), bracketed(gold)];
  if (parts !== undefined && goldParts !== undefined && parts.length === goldParts.length && parts.length > 1)
    if (parts.every((part, index) => qwenEqual(part, at(goldParts, index), policy, budget))) return true;
  return semanticallyEqual(prediction, gold, policy, budget);
}

function choice(text: string): string | undefined {
  return text
    .toUpperCase()
    .match(/\b[A-E]\b/g)
    ?.at(-1);
}

function parseNumber(text: string): number | undefined {
  const plain = text.replaceAll(",", "");
  const percent = /^(.*?)\\?%$/.exec(plain);
  const digits = percent?.[1] ?? plain;
  if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(digits)) return undefined;
  const value = Number(digits) / (percent === null ? 1 : 100);
  return Number.isFinite(value) ? value : undefined;
}

function bracketed(text: string): string[] | undefined {
  if (!/^[([].*[)\]]$/s.test(text)) return undefined;
  const parts = text.slice(1, -1).split(",");
  return parts.length > MOST_PARTS ? undefined : parts.map((part) => part.trim());
}
