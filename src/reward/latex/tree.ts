import type { Rational } from "../exact/rational";

/** What an answer says. Tuples, sets, relations and the like may stand inside each other. */
export type Node =
  | NumberNode
  | { readonly kind: "symbol"; readonly name: string }
  | { readonly kind: "sum"; readonly terms: readonly Node[] }
  | { readonly kind: "product"; readonly factors: readonly Node[] }
  | { readonly kind: "quotient"; readonly top: Node; readonly bottom: Node }
  | { readonly kind: "power"; readonly base: Node; readonly exponent: Node }
  /** `\pm` or `\mp` before an operand: stands for two values. */
  | { readonly kind: "sign"; readonly upper: 1 | -1; readonly operand: Node }
  | { readonly kind: "apply"; readonly name: string; readonly operands: readonly Node[] }
  | { readonly kind: "list"; readonly items: readonly Node[] }
  | { readonly kind: "tuple"; readonly open: string; readonly close: string; readonly items: readonly Node[] }
  | { readonly kind: "set"; readonly items: readonly Node[] }
  | { readonly kind: "union"; readonly parts: readonly Node[] }
  | { readonly kind: "matrix"; readonly rows: readonly (readonly Node[])[] }
  | { readonly kind: "ratio"; readonly items: readonly Node[]; readonly isTime: boolean }
  | { readonly kind: "relation"; readonly operators: readonly Relation[]; readonly sides: readonly Node[] }
  | { readonly kind: "quantity"; readonly value: Node; readonly unit: string }
  /** Digits in a number system, `1010_2`. */
  | { readonly kind: "based"; readonly digits: string; readonly base: string }
  | { readonly kind: "words"; readonly text: string }
  /** What could not be read as mathematics, spelled out. */
  | { readonly kind: "opaque"; readonly text: string };

export interface NumberNode {
  readonly kind: "number";
  readonly value: Rational;
  /** Digits after the point of a literal with a point. */
  readonly places?: number;
}

export type Relation = "=" | "<" | ">" | "<=" | ">=" | "!=" | "in" | "approx" | "other";

/** Names of symbols that are constants. */
export const CONSTANTS: ReadonlySet<string> = new Set(["pi", "e", "i", "infinity"]);

/** Whether a test holds for a node or any node below. */
export function contains(node: Node, test: (node: Node) => boolean): boolean {
  return test(node) || children(node).some((child) => contains(child, test));
}

export function hasSymbols(node: Node): boolean {
  return contains(node, (each) => each.kind === "symbol" && !CONSTANTS.has(each.name));
}

export function children(node: Node): readonly Node[] {
  switch (node.kind) {
    case "sum":
      return node.terms;
    case "product":
      return node.factors;
    case "quotient":
      return [node.top, node.bottom];
    case "power":
      return [node.base, node.exponent];
    case "sign":
      return [node.operand];
    case "apply":
      return node.operands;
    case "list":
    case "tuple":
    case "set":
    case "ratio":
      return node.items;
    case "union":
      return node.parts;
    case "matrix":
      return node.rows.flat();
    case "relation":
      return node.sides;
    case "quantity":
      return [node.value];
    default:
      return [];
  }
}

/**
 * `a \pm b` is two answers: the node with all upper signs and the node with all lower ones. A node without such a sign
 * is alone.
 */
export function variants(node: Node): readonly Node[] {
  return hasSign(node) ? [resolved(node, 1), resolved(node, -1)] : [node];
}

function hasSign(node: Node): boolean {
  return node.kind === "sign" || children(node).some(hasSign);
}

function resolved(node: Node, upper: 1 | -1): Node {
  const inner = (child: Node): Node => resolved(child, upper);
  switch (node.kind) {
    case "sign": {
      const operand = inner(node.operand);
      if (node.upper === upper) return operand;
      return { kind: "product", factors: [{ kind: "number", value: { n: -1n, d: 1n } }, operand] };
    }
    case "sum":
      return { ...node, terms: node.terms.map(inner) };
    case "product":
      return { ...node, factors: node.factors.map(inner) };
    case "quotient":
      return { ...node, top: inner(node.top), bottom: inner(node.bottom) };
    case "power":
      return { ...node, base: inner(node.base), exponent: inner(node.exponent) };
    case "apply":
      return { ...node, operands: node.operands.map(inner) };
    case "list":
    case "tuple":
    case "set":
      return { ...node, items: node.items.map(inner) };
    case "quantity":
      return { ...node, value: inner(node.value) };
    case "relation":
      return { ...node, sides: node.sides.map(inner) };
    default:
      return node;
  }
}
