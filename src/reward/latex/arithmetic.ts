import { isInteger, rational } from "../exact/rational";
import { isOperator } from "./brackets";
import { NotMathematics, type Token } from "./tokens";
import type { Node, NumberNode } from "./tree";

const DEGREE: Node = {
  kind: "quotient",
  top: { kind: "symbol", name: "pi" },
  bottom: { kind: "number", value: rational(180n) },
};
const MINUS_ONE: Node = { kind: "number", value: rational(-1n) };

/** A place in a row of tokens. */
abstract class Cursor {
  protected at = 0;

  constructor(protected readonly tokens: readonly Token[]) {}

  protected get next(): Token | undefined {
    return this.tokens[this.at];
  }

  protected is(...texts: readonly string[]): boolean {
    return isOperator(this.next, ...texts);
  }

  protected take(...texts: readonly string[]): string | undefined {
    if (!this.is(...texts)) return undefined;
    return this.tokens[this.at++]?.text;
  }
}

/** Reads what operators make of operands: sums, products, mixed numbers, powers and what stands after an operand. */
export abstract class ArithmeticParser extends Cursor {
  protected inBars = false;

  constructor(
    tokens: readonly Token[],
    /** Inside a trigonometric function a degree sign changes the value; elsewhere it is a unit. */
    protected readonly inAngle: boolean,
  ) {
    super(tokens);
  }

  /** One operand: a literal, a name, a command with its arguments, something in brackets. */
  protected abstract base(): Node;

  protected sum(): Node {
    const terms: Node[] = [];
    do {
      let negative = false;
      let upper: 1 | -1 | undefined;
      for (;;) {
        const sign = this.take("+", "-", "pm", "mp");
        if (sign === undefined) break;
        if (sign === "-") negative = !negative;
        if (sign === "pm" || sign === "mp") upper = sign === "pm" ? 1 : -1;
      }
      const product = this.product();
      const term: Node = upper === undefined ? product : { kind: "sign", upper, operand: product };
      terms.push(negative ? negated(term) : term);
    } while (this.is("+", "-", "pm", "mp"));
    return terms.length === 1 ? (terms[0] as Node) : { kind: "sum", terms };
  }

  protected product(): Node {
    let node = this.factor();
    for (;;) {
      if (this.take("*") !== undefined) node = times(node, this.#signedFactor());
      else if (this.take("/") !== undefined) node = { kind: "quotient", top: node, bottom: this.#signedFactor() };
      else if (this.#beginsFactor()) {
        const mixed = this.#mixedNumber(node);
        if (mixed === undefined && this.next?.kind === "number" && !isOperator(this.tokens[this.at - 1], ")", "}", "]"))
          throw new NotMathematics("two numbers");
        node = mixed ?? times(node, this.factor());
      } else return node;
    }
  }

  #signedFactor(): Node {
    let negative = false;
    for (let sign = this.take("+", "-"); sign !== undefined; sign = this.take("+", "-"))
      negative = negative !== (sign === "-");
    const factor = this.factor();
    return negative ? negated(factor) : factor;
  }

  #beginsFactor(): boolean {
    const token = this.next;
    if (token === undefined) return false;
    if (token.kind !== "operator") return token.kind !== "words";
    if (token.text === "|") return !this.inBars;
    return [
      "(",
      "[",
      "{",
      "frac",
      "binom",
      "lfloor",
      "lceil",
      "wrap",
      "accent",
      "overline",
      "sum",
      "prod",
      "begin",
      "langle",
    ].includes(token.text);
  }

  /** `2\frac{1}{2}` and `2 1/2` are 5/2, where whole part and fraction are literals and the fraction is proper. */
  #mixedNumber(whole: Node): Node | undefined {
    const previous = this.tokens[this.at - 1];
    if (whole.kind !== "number" || previous?.kind !== "number" || !isInteger(whole.value)) return undefined;
    const start = this.at;
    let fraction: Node | undefined;
    if (this.is("frac")) fraction = this.factor();
    else if (this.next?.kind === "number" && this.next.spaced && isOperator(this.tokens[this.at + 1], "/")) {
      const top = this.factor();
      this.at += 1;
      if (this.next?.kind === "number") fraction = { kind: "quotient", top, bottom: this.factor() };
    }
    if (fraction?.kind === "quotient" && isWhole(fraction.top) && isWhole(fraction.bottom)) {
      const [top, bottom] = [fraction.top.value.n, fraction.bottom.value.n];
      if (top > 0n && top < bottom) return { kind: "sum", terms: [whole, fraction] };
    }
    this.at = start;
    return undefined;
  }

  protected factor(): Node {
    let node = this.base();
    for (;;) {
      if (this.is("^") && this.#isDegree(this.at + 1)) {
        this.#skipDegree();
        if (this.inAngle) node = times(node, DEGREE);
      } else if (this.is("degree")) {
        this.at += 1;
        if (this.inAngle) node = times(node, DEGREE);
      } else if (this.take("^") !== undefined) node = { kind: "power", base: node, exponent: this.exponent() };
      else if (this.is("!")) {
        this.at += 1;
        node = { kind: "apply", name: "factorial", operands: [node] };
      } else if (this.take("%") !== undefined)
        node = { kind: "quotient", top: node, bottom: { kind: "number", value: rational(100n) } };
      else return node;
    }
  }

  #isDegree(at: number): boolean {
    return (
      isOperator(this.tokens[at], "circ") ||
      (isOperator(this.tokens[at], "{") && isOperator(this.tokens[at + 1], "circ"))
    );
  }

  #skipDegree(): void {
    this.at += isOperator(this.tokens[this.at + 1], "{") ? 4 : 2;
  }

  protected exponent(): Node {
    if (this.is("+", "-")) {
      const negative = this.take("+", "-") === "-";
      const exponent = this.exponent();
      return negative ? negated(exponent) : exponent;
    }
    const base = this.base();
    // Powers associate to the right where no braces say otherwise.
    return this.take("^") === undefined ? base : { kind: "power", base, exponent: this.exponent() };
  }
}

function isWhole(node: Node): node is NumberNode {
  return node.kind === "number" && node.places === undefined && isInteger(node.value);
}

function times(a: Node, b: Node): Node {
  return { kind: "product", factors: a.kind === "product" ? [...a.factors, b] : [a, b] };
}

function negated(node: Node): Node {
  if (node.kind === "number") return { ...node, value: { n: -node.value.n, d: node.value.d } };
  return { kind: "product", factors: [MINUS_ONE, node] };
}
