import type { Node } from "../latex/tree";
import { children } from "../latex/tree";

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
