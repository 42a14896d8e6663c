import { at } from "../../base/must";
import type { Budget } from "../budget";
import { rational } from "../exact/rational";
import { type Node, variants } from "../latex/tree";
import { proportional, sameValue } from "./expressions";
import { ascending, asInterval, givenValue, nameOf, withoutApproximation } from "./relations";
import { EXACTLY, type Rounding } from "./rounding";

/** What graders differ in when they compare values. */
export interface Policy extends Rounding {
  /**
   * Where one side has a percent sign and the other has none: is 50% 50 or 0.5 (`either`), or 0.5 alone (`hundredth`).
   */
  readonly percent: "either" | "hundredth";
}

const MOST_ITEMS = 60;
const HUNDRED: Node = { kind: "number", value: rational(100n) };
type Of<K extends Node["kind"]> = Node & { kind: K };

/**
 * Compares answers as trees. The first is the prediction, the second the gold answer: what a gold answer may leave out,
 * a prediction may not.
 */
export class AnswerComparison {
  readonly #policy: Policy;
  readonly #budget: Budget;

  constructor(policy: Policy, budget: Budget) {
    this.#policy = policy;
    this.#budget = budget;
  }

  equivalent(prediction: Node, gold: Node): boolean {
    this.#budget.step();
    const [a, b] = [this.#plain(prediction), this.#plain(gold)];
    if (a.kind === "relation" || b.kind === "relation") return this.#relations(a, b);
    if (a.kind === "quantity" || b.kind === "quantity") return this.#quantities(a, b);
    if (a.kind === "based" || b.kind === "based") return this.#basedNumbers(a, b);
    if (a.kind === "ratio" || b.kind === "ratio") return this.#ratios(a, b);
    if (a.kind === "words" || b.kind === "words") return sameWords(a, b);
    if (isCollection(a) || isCollection(b)) return this.#collections(a, b);
    return sameValue(a, b, this.#policy, this.#budget);
  }

  /** Takes off what says nothing: the brackets of a set or list of one, an approximation after an exact value. */
  #plain(node: Node): Node {
    const signed = node.kind === "list" ? node.items.flatMap((item) => variants(item)) : variants(node);
    if (signed.length > 1 && (node.kind !== "list" || signed.length > node.items.length))
      return { kind: "list", items: signed };
    if (node.kind === "set" && node.items.length === 1) return this.#plain(node.items[0] as Node);
    if (node.kind === "set" && node.items.length === 0) return { kind: "symbol", name: "emptyset" };
    if (node.kind === "relation") return withoutApproximation(node);
    return node;
  }

  #relations(a: Node, b: Node): boolean {
    const same = (x: Node, y: Node) => this.equivalent(x, y);
    if (a.kind === "relation" && b.kind === "relation") return this.#bothRelations(a, b);
    if (a.kind === "relation") {
      const value = givenValue(a, same);
      return value !== undefined && this.equivalent(value, b);
    }
    if (b.kind !== "relation") return false;
    const value = givenValue(b, same);
    if (value !== undefined) return this.equivalent(a, value);
    const inequality = asInterval(b);
    return inequality !== undefined && a.kind === "tuple" && this.equivalent(a, inequality.interval);
  }

  #bothRelations(a: Of<"relation">, b: Of<"relation">): boolean {
    const [left, right] = [asInterval(a), asInterval(b)];
    if (left !== undefined && right !== undefined && this.equivalent(left.subject, right.subject))
      return this.equivalent(left.interval, right.interval);
    const membership = (node: Of<"relation">) => node.operators.length === 1 && node.operators[0] === "in";
    // A membership in an interval and a chain of inequalities say the same.
    if (membership(a) && right !== undefined)
      return this.equivalent(a.sides[0] as Node, right.subject) && this.equivalent(a.sides[1] as Node, right.interval);
    if (membership(b) && left !== undefined)
      return this.equivalent(left.subject, b.sides[0] as Node) && this.equivalent(left.interval, b.sides[1] as Node);
    const [one, two] = [ends(a), ends(b)];
    if (one === undefined || two === undefined || one.operator !== two.operator) return false;
    if (this.equivalent(one.left, two.left) && this.equivalent(one.right, two.right)) return true;
    if (one.operator === "in" || one.operator === "other") return false;
    const comparable = [one.left, one.right, two.left, two.right].every(
      (side) => !isCollection(side) && side.kind !== "relation",
    );
    const isOrder = one.operator === "<" || one.operator === "<=";
    return comparable && proportional(difference(one), difference(two), isOrder, this.#budget);
  }

  #quantities(a: Node, b: Node): boolean {
    const [value, unit] = a.kind === "quantity" ? [a.value, a.unit] : [a, ""];
    const [goldValue, goldUnit] = b.kind === "quantity" ? [b.value, b.unit] : [b, ""];
    if (unit === goldUnit) return this.equivalent(value, goldValue);
    if (unit !== "" && goldUnit !== "") return false;
    if (unit !== "%" && goldUnit !== "%") return this.equivalent(value, goldValue);
    const asFraction = (node: Node, isPercent: boolean): Node =>
      isPercent ? { kind: "quotient", top: node, bottom: HUNDRED } : node;
    if (isCollection(value) || isCollection(goldValue)) return false;
    if (this.#policy.percent === "either" && this.equivalent(value, goldValue)) return true;
    return this.equivalent(asFraction(value, unit === "%"), asFraction(goldValue, goldUnit === "%"));
  }

  /** Digits with the base left out say the same as with it, in the same digits; they are not converted. */
  #basedNumbers(a: Node, b: Node): boolean {
    const digits = (node: Node): string | undefined => {
      if (node.kind === "based") return node.digits;
      return node.kind === "number" && node.value.d === 1n ? String(node.value.n) : undefined;
    };
    if (a.kind === "based" && b.kind === "based" && a.base !== b.base) return false;
    return digits(a) !== undefined && digits(a) === digits(b);
  }

  #ratios(a: Node, b: Node): boolean {
    if (a.kind === "ratio" && b.kind === "ratio") {
      if (a.items.length !== b.items.length) return false;
      if (a.items.every((item, index) => this.equivalent(item, b.items[index] as Node))) return true;
      // 4:30 may be a time of day, and is not 2:15 then.
      if (a.isTime || b.isTime) return false;
      const [first, goldFirst] = [a.items[0] as Node, b.items[0] as Node];
      return a.items.every(
        (item, index) =>
          this.equivalent(times(item, goldFirst), times(b.items[index] as Node, first)) && !this.#isZero(item),
      );
    }
    const [ratio, other] = a.kind === "ratio" ? [a, b] : [b as Of<"ratio">, a];
    if (ratio.isTime || ratio.items.length !== 2 || isCollection(other)) return false;
    const [top, bottom] = ratio.items as [Node, Node];
    return sameValue({ kind: "quotient", top, bottom }, other, EXACTLY, this.#budget);
  }

  #isZero(node: Node): boolean {
    return sameValue(node, { kind: "number", value: rational(0n) }, EXACTLY, this.#budget);
  }

  #collections(a: Node, b: Node): boolean {
    if (a.kind === "matrix" && b.kind === "matrix")
      return a.rows.length === b.rows.length && a.rows.every((row, index) => this.#inOrder(row, at(b.rows, index)));
    if (a.kind === "tuple" && b.kind === "tuple")
      return a.open === b.open && a.close === b.close && this.#inOrder(a.items, b.items);
    if (a.kind === "union" && b.kind === "union") return this.#inAnyOrder(a.parts, b.parts);
    // Items without brackets may be meant in order or as a set.
    if (a.kind === "list" && b.kind === "tuple") return isRound(b) && this.#inOrder(a.items, b.items);
    if (a.kind === "tuple" && b.kind === "list") return isRound(a) && this.#inOrder(a.items, b.items);
    const [items, goldItems] = [itemsOf(a), itemsOf(b)];
    if (items === undefined || goldItems === undefined) return false;
    // Names on one side alone say in which order the other side's items are meant.
    return hasNames(items) !== hasNames(goldItems)
      ? this.#inOrder(items, goldItems)
      : this.#inAnyOrder(items, goldItems);
  }

  #inOrder(a: readonly Node[], b: readonly Node[]): boolean {
    return a.length === b.length && a.every((item, index) => this.equivalent(item, b[index] as Node));
  }

  /** Equal as sets: every item of each side has its like on the other. */
  #inAnyOrder(a: readonly Node[], b: readonly Node[]): boolean {
    if (a.length > MOST_ITEMS || b.length > MOST_ITEMS) return this.#inOrder(a, b);
    return (
      a.every((item) => b.some((other) => this.equivalent(item, other))) &&
      b.every((item) => a.some((other) => this.equivalent(other, item)))
    );
  }
}

function isCollection(node: Node): boolean {
  return ["list", "tuple", "set", "union", "matrix"].includes(node.kind);
}

function isRound(node: Of<"tuple">): boolean {
  return node.open === "(" && node.close === ")";
}

function itemsOf(node: Node): readonly Node[] | undefined {
  return node.kind === "list" || node.kind === "set" ? node.items : undefined;
}

/** Whether items are named by different names: `x = 1, y = 2`, not `x = 1, x = 2`. */
function hasNames(items: readonly Node[]): boolean {
  const names = items.map((item) => nameOf(item)).filter((name) => name !== undefined);
  return (
    names.length > 1 &&
    new Set(
      names.map((name) => JSON.stringify(name, (_, value) => (typeof value === "bigint" ? String(value) : value))),
    ).size > 1
  );
}

function times(a: Node, b: Node): Node {
  return { kind: "product", factors: [a, b] };
}

/** A relation of two sides, or of a chain of equations its ends. */
function ends(node: Of<"relation">): ReturnType<typeof ascending> | undefined {
  const [operator] = node.operators;
  const [left, right] = [node.sides[0], node.sides.at(-1)];
  if (operator === undefined || left === undefined || right === undefined) return undefined;
  if (node.operators.length > 1 && !node.operators.every((each) => each === "=")) return undefined;
  return ascending(operator, left, right);
}

function difference({ left, right }: { readonly left: Node; readonly right: Node }): Node {
  return {
    kind: "sum",
    terms: [left, { kind: "product", factors: [{ kind: "number", value: rational(-1n) }, right] }],
  };
}

function sameWords(a: Node, b: Node): boolean {
  const text = (node: Node): string | undefined => {
    if (node.kind === "words") return node.text;
    if (node.kind === "symbol") return node.name;
    return node.kind === "product" && node.factors.every((factor) => factor.kind === "symbol")
      ? node.factors.map((factor) => (factor.kind === "symbol" ? factor.name : "")).join("")
      : undefined;
  };
  const spelled = (node: Node) =>
    text(node)
      ?.toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, "");
  const [left, right] = [spelled(a), spelled(b)];
  return left !== undefined && left !== "" && left === right;
}
