import { contains, hasSymbols, type Node, type Relation } from "../latex/tree";

type RelationNode = Node & { kind: "relation" };

/** `x = \frac13 \approx 0.33` says no more than `x = \frac13`; `x \approx 11` alone says `x = 11`. */
export function withoutApproximation(node: RelationNode): Node {
  const at = node.operators.indexOf("approx");
  if (at < 0) return node;
  if (at === 0) {
    const [left, right] = node.sides as [Node, Node];
    return isName(left) ? { kind: "relation", operators: ["="], sides: [left, right] } : left;
  }
  return { kind: "relation", operators: node.operators.slice(0, at), sides: node.sides.slice(0, at + 1) };
}

/** Whether a side names what is asked for: `x`, `f(x)`, `AB`, `(p, q)`, `|AB|`, `V_1 : V_2`, `m + n`. */
function isName(node: Node): boolean {
  switch (node.kind) {
    case "symbol":
      return true;
    case "words":
      return !/\b(?:not|never|no)\b/i.test(node.text);
    case "product":
      return node.factors.every((factor) => factor.kind === "symbol" || (factor.kind === "apply" && isName(factor)));
    case "sum":
      return node.terms.every(isName);
    case "apply":
      return !contains(node, (each) => each.kind === "tuple" || each.kind === "set") && hasSymbols(node);
    case "tuple":
    case "ratio":
    case "list":
      return node.items.every(isName);
    default:
      return false;
  }
}

/** Named by something that we cannot compute: a limit, a determinant, an integral. */
function isUncomputed(node: Node): boolean {
  return contains(
    node,
    (each) => each.kind === "opaque" || (each.kind === "apply" && /^(?:sum|prod|int|lim|det)\b/.test(each.name)),
  );
}

/**
 * What an equation or a membership gives as a value: the last side of `x = 5`, of `f(x) = 1 + 1 = 2`, of `x \in S`; of
 * `10^3 = 1000`, whose sides are numbers, only if they agree. Undefined for an equation that still has to be solved,
 * and for inequalities.
 */
export function givenValue(node: RelationNode, same: (a: Node, b: Node) => boolean): Node | undefined {
  const [first] = node.sides;
  const last = node.sides.at(-1);
  if (first === undefined || last === undefined || last.kind === "opaque") return undefined;
  if (node.operators.length === 1 && node.operators[0] === "in") return first.kind === "symbol" ? last : undefined;
  if (!node.operators.every((operator) => operator === "=")) return undefined;
  if (isName(first) || isUncomputed(first)) return last;
  return !hasSymbols(first) && node.sides.every((side) => same(side, first)) ? last : undefined;
}

/** The name that an equation gives a value to. */
export function nameOf(node: Node): Node | undefined {
  if (node.kind !== "relation" || !node.operators.every((operator) => operator === "=")) return undefined;
  const [first] = node.sides;
  return first !== undefined && isName(first) ? first : undefined;
}

const FLIPPED: Partial<Record<Relation, Relation>> = { ">": "<", ">=": "<=" };

/** A relation of two sides with the smaller side first. */
export function ascending(
  operator: Relation,
  left: Node,
  right: Node,
): { operator: Relation; left: Node; right: Node } {
  const flipped = FLIPPED[operator];
  return flipped === undefined ? { operator, left, right } : { operator: flipped, left: right, right: left };
}

const POSITIVE_INFINITE: Node = { kind: "symbol", name: "infinity" };
const NEGATIVE_INFINITE: Node = {
  kind: "product",
  factors: [{ kind: "number", value: { n: -1n, d: 1n } }, POSITIVE_INFINITE],
};

export interface Inequality {
  readonly subject: Node;
  readonly interval: Node & { kind: "tuple" };
}

/** `1 < x <= 2` and `x > 3` as the interval in which their subject lies; undefined for other relations. */
export function asInterval(node: RelationNode): Inequality | undefined {
  const steps = node.operators.map((operator, index) =>
    ascending(operator, node.sides[index] as Node, node.sides[index + 1] as Node),
  );
  if (!steps.every(({ operator }) => operator === "<" || operator === "<=")) return undefined;
  const interval = (low: Node, lowOperator: Relation, high: Node, highOperator: Relation): Inequality["interval"] => ({
    kind: "tuple",
    open: lowOperator === "<" ? "(" : "[",
    close: highOperator === "<" ? ")" : "]",
    items: [low, high],
  });
  const [one, two] = steps;
  if (steps.length === 1 && one !== undefined) {
    if (isName(one.left) && !hasSymbols(one.right))
      return { subject: one.left, interval: interval(NEGATIVE_INFINITE, "<", one.right, one.operator) };
    if (isName(one.right) && !hasSymbols(one.left))
      return { subject: one.right, interval: interval(one.left, one.operator, POSITIVE_INFINITE, "<") };
    return undefined;
  }
  if (steps.length !== 2 || one === undefined || two === undefined) return undefined;
  const [lower, upper] = one.right === two.left ? [one, two] : two.right === one.left ? [two, one] : [];
  if (lower === undefined || upper === undefined) return undefined;
  return { subject: lower.right, interval: interval(lower.left, lower.operator, upper.right, upper.operator) };
}
