import { isOperator, matchingBracket, spell, splitOutside } from "./brackets";
import { ExpressionParser } from "./expression";
import { splitUnit } from "./quantity";
import { NotMathematics, type Token, tokenize } from "./tokens";
import type { Node, Relation } from "./tree";

const RELATIONS: Readonly<Record<string, Relation>> = {
  "=": "=",
  "<": "<",
  ">": ">",
  "<=": "<=",
  ">=": ">=",
  "!=": "!=",
  in: "in",
  approx: "approx",
  other: "other",
};
const MOST_DEPTH = 40;

/**
 * Reads an answer: LaTeX or plain text, one item or several.
 * @throws NotMathematics when it cannot be read.
 */
export function parseAnswer(text: string): Node {
  // A doubled backslash is a line break inside a matrix and a fault of quoting elsewhere.
  const source = text.includes("\\begin") ? text : text.replaceAll("\\\\", "\\");
  // A full stop belongs to the sentence around the answer, a point after a digit to the number.
  return parseItems(tokenize(source.replace(/(?<!\d)[\s$]*\.[\s$]*$/, "")), 0);
}

/** Items between commas and semicolons: one node, or a list of several. */
export function parseItems(tokens: readonly Token[], depth: number): Node {
  if (depth > MOST_DEPTH) throw new NotMathematics("too deep");
  const { parts } = splitOutside(tokens, (token) => isOperator(token, ",", ";"));
  const items = parts.filter((part) => part.length > 0).map((part) => parseItem(part, depth));
  const [first] = items;
  if (first === undefined) throw new NotMathematics("empty");
  return items.length === 1 ? first : { kind: "list", items };
}

function parseItem(tokens: readonly Token[], depth: number): Node {
  const { parts, separators } = splitOutside(tokens, (token) => token.kind === "operator" && token.text in RELATIONS);
  if (separators.length === 0) return parseSide(tokens, depth);
  return {
    kind: "relation",
    operators: separators.map((separator) => RELATIONS[separator] ?? "other"),
    sides: parts.map((part) => readable(part, depth)),
  };
}

/** A side of a relation that we cannot read still has a spelling, `\int f dx = 3`, unless it is prose. */
function readable(tokens: readonly Token[], depth: number): Node {
  try {
    return parseSide(tokens, depth);
  } catch (error) {
    if (!(error instanceof NotMathematics) || tokens.some((token) => token.kind === "words")) throw error;
    return { kind: "opaque", text: spell(tokens) };
  }
}

function parseSide(tokens: readonly Token[], depth: number): Node {
  if (tokens.length === 0) throw new NotMathematics("a missing side");
  if (tokens.some((token) => token.kind === "words") && tokens.every((token) => /words|letters|name/.test(token.kind)))
    return { kind: "words", text: tokens.map((token) => token.text).join(" ") };
  const ratio = splitOutside(tokens, (token) => isOperator(token, ":"));
  if (ratio.separators.length > 0) {
    const items = ratio.parts.map((part) => expression(part, depth));
    const isTime = ratio.parts
      .slice(1)
      .every(([part], index) => ratio.parts[index + 1]?.length === 1 && /^\d\d$/.test(part?.text ?? ""));
    return { kind: "ratio", items, isTime };
  }
  const quantity = splitUnit(tokens);
  if (quantity === undefined) return setExpression(tokens, depth);
  const value = setExpression(quantity.tokens, depth);
  return quantity.unit === "" ? value : { kind: "quantity", value, unit: quantity.unit };
}

function setExpression(tokens: readonly Token[], depth: number): Node {
  const unions = splitOutside(tokens, (token) => isOperator(token, "cup"));
  if (unions.separators.length > 0)
    return { kind: "union", parts: unions.parts.map((part) => setExpression(part, depth)) };
  const others = splitOutside(tokens, (token) => isOperator(token, "cap", "setminus"));
  if (others.separators.length > 0)
    return {
      kind: "apply",
      name: others.separators.join(" "),
      operands: others.parts.map((part) => expression(part, depth)),
    };
  return expression(tokens, depth);
}

function expression(tokens: readonly Token[], depth: number): Node {
  return new ExpressionParser(tokens, depth, parseItems, parseMatrix).parse();
}

const MATRICES = /^(?:[pbvBV]?matrix|smallmatrix|array)$/;

/** `\begin{pmatrix} ... \end{pmatrix}`; the environment's name decides nothing but determinants. */
function parseMatrix(tokens: readonly Token[], depth: number): Node {
  const name = tokens[1]?.text ?? "";
  if (!MATRICES.test(name)) throw new NotMathematics("an unknown environment");
  let from = 2;
  if (name === "array" && isOperator(tokens[from], "{")) from = matchingBracket(tokens, from) + 1;
  const rows = splitOutside(tokens.slice(from, -1), (token) => isOperator(token, "newline"))
    .parts.filter((row) => row.length > 0)
    .map((row) =>
      splitOutside(row, (token) => isOperator(token, "&")).parts.map((cell) => parseItems(cell, depth + 1)),
    );
  if (rows.length === 0) throw new NotMathematics("an empty matrix");
  return name === "vmatrix"
    ? { kind: "apply", name: "det", operands: [{ kind: "matrix", rows }] }
    : { kind: "matrix", rows };
}
