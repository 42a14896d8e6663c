import { isInteger, rational } from "../exact/rational";
import { isOperator, matchingBracket, spell } from "./brackets";
import { literal, repeatingDecimal } from "./literal";
import { NotMathematics, type Token } from "./tokens";
import type { Node, NumberNode } from "./tree";

type Reader = (tokens: readonly Token[], depth: number) => Node;

const DEGREE: Node = {
  kind: "quotient",
  top: { kind: "symbol", name: "pi" },
  bottom: { kind: "number", value: rational(180n) },
};
const HALF: Node = { kind: "number", value: rational(1n, 2n) };
const MINUS_ONE: Node = { kind: "number", value: rational(-1n) };
const TRIGONOMETRIC = /^(?:sin|cos|tan|cot|sec|csc)$/;
const CLOSERS: Readonly<Record<string, string>> = { "]": "]", ")": ")" };

/** Reads sums, products, powers and what they are made of: everything below items, relations and units. */
export class ExpressionParser {
  private at = 0;
  private inBars = false;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly depth: number,
    private readonly readItems: Reader,
    private readonly readMatrix: Reader,
    /** Inside a trigonometric function a degree sign changes the value; elsewhere it is a unit. */
    private readonly inAngle = false,
  ) {}

  parse(): Node {
    const node = this.sum();
    if (this.at < this.tokens.length) throw new NotMathematics("something after the end");
    return node;
  }

  private get next(): Token | undefined {
    return this.tokens[this.at];
  }

  private is(...texts: readonly string[]): boolean {
    return isOperator(this.next, ...texts);
  }

  private take(...texts: readonly string[]): string | undefined {
    if (!this.is(...texts)) return undefined;
    return this.tokens[this.at++]?.text;
  }

  private sum(): Node {
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

  private product(): Node {
    let node = this.factor();
    for (;;) {
      if (this.take("*") !== undefined) node = times(node, this.signedFactor());
      else if (this.take("/") !== undefined) node = { kind: "quotient", top: node, bottom: this.signedFactor() };
      else if (this.beginsFactor()) {
        const mixed = this.mixedNumber(node);
        if (mixed === undefined && this.next?.kind === "number" && !isOperator(this.tokens[this.at - 1], ")", "}", "]"))
          throw new NotMathematics("two numbers");
        node = mixed ?? times(node, this.factor());
      } else return node;
    }
  }

  private signedFactor(): Node {
    let negative = false;
    for (let sign = this.take("+", "-"); sign !== undefined; sign = this.take("+", "-"))
      negative = negative !== (sign === "-");
    const factor = this.factor();
    return negative ? negated(factor) : factor;
  }

  private beginsFactor(): boolean {
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
  private mixedNumber(whole: Node): Node | undefined {
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

  private factor(): Node {
    let node = this.base();
    for (;;) {
      if (this.is("^") && this.isDegree(this.at + 1)) {
        this.skipDegree();
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

  private isDegree(at: number): boolean {
    return (
      isOperator(this.tokens[at], "circ") ||
      (isOperator(this.tokens[at], "{") && isOperator(this.tokens[at + 1], "circ"))
    );
  }

  private skipDegree(): void {
    this.at += isOperator(this.tokens[this.at + 1], "{") ? 4 : 2;
  }

  private exponent(): Node {
    if (this.is("+", "-")) {
      const negative = this.take("+", "-") === "-";
      const exponent = this.exponent();
      return negative ? negated(exponent) : exponent;
    }
    const base = this.base();
    // Powers associate to the right where no braces say otherwise.
    return this.take("^") === undefined ? base : { kind: "power", base, exponent: this.exponent() };
  }

  private base(): Node {
    const token = this.next;
    if (token === undefined) throw new NotMathematics("a missing operand");
    this.at += 1;
    switch (token.kind) {
      case "number":
        return this.number(token);
      case "name":
        return this.name(token.text);
      case "letters":
        return letterProduct(token.text);
      case "function":
        return this.functionCall(token.text);
      case "words":
        throw new NotMathematics("words");
      default:
        return this.operatorBase(token.text);
    }
  }

  private number(token: Token): Node {
    if (this.is("_")) {
      this.at += 1;
      return { kind: "based", digits: token.text, base: this.subscript() };
    }
    if (token.text.includes(".") && this.is("overline")) {
      const [group] = [this.tokens.slice(this.at + 1, this.at + 4)];
      if (isOperator(group[0], "{") && group[1]?.kind === "number" && isOperator(group[2], "}")) {
        this.at += 4;
        return repeatingDecimal(token.text, group[1].text);
      }
    }
    return literal(token.text);
  }

  private name(name: string): Node {
    let full = name;
    if (this.take("_") !== undefined) full += `_${this.subscript()}`;
    while (this.take("'") !== undefined) full += "'";
    if (this.is("(") && (/^[fgh](?:_|'|$)/.test(full) || (/^[A-Z]/.test(full) && this.hasPlainOperand()))) {
      const operands = this.bracketed();
      return { kind: "apply", name: full, operands: operands.kind === "list" ? operands.items : [operands] };
    }
    return { kind: "symbol", name: full };
  }

  /** `I(0)` and `P(x)` apply a function; `P(1+r)` may be a product. */
  private hasPlainOperand(): boolean {
    const operand = this.tokens[this.at + 1];
    return (operand?.kind === "number" || operand?.kind === "name") && isOperator(this.tokens[this.at + 2], ")");
  }

  /** What stands under: spelled, without its braces. */
  private subscript(): string {
    const token = this.next;
    if (token === undefined) throw new NotMathematics("a missing subscript");
    if (!isOperator(token, "{")) {
      this.at += 1;
      return token.text;
    }
    const end = matchingBracket(this.tokens, this.at);
    const text = spell(this.tokens.slice(this.at + 1, end));
    this.at = end + 1;
    return text;
  }

  /** The content of the brackets that begin here. */
  private bracketed(): Node {
    const end = matchingBracket(this.tokens, this.at);
    const content = this.tokens.slice(this.at + 1, end);
    this.at = end + 1;
    return this.inAngle ? this.sub(content) : this.readItems(content, this.depth + 1);
  }

  private sub(tokens: readonly Token[], inAngle = this.inAngle): Node {
    return this.depth > 40
      ? this.readItems(tokens, this.depth)
      : new ExpressionParser(tokens, this.depth + 1, this.readItems, this.readMatrix, inAngle).parse();
  }

  /** An argument of a command: a group, or one digit or letter. */
  private argument(): Node {
    return this.is("{") ? this.bracketed() : this.base();
  }

  private operatorBase(operator: string): Node {
    switch (operator) {
      case "(":
      case "[":
      case "{":
      case "\\{":
      case "langle":
        this.at -= 1;
        return this.group(operator);
      case "frac":
        return { kind: "quotient", top: this.argument(), bottom: this.argument() };
      case "binom":
        return { kind: "apply", name: "binomial", operands: [this.argument(), this.argument()] };
      case "lfloor":
      case "lceil":
        this.at -= 1;
        return { kind: "apply", name: operator === "lfloor" ? "floor" : "ceiling", operands: [this.bracketed()] };
      case "wrap":
        return this.argument();
      case "accent":
        return { kind: "apply", name: "accent", operands: [this.argument()] };
      case "overline":
        return { kind: "apply", name: "overline", operands: [this.argument()] };
      case "|":
        return this.absolute();
      case "sum":
      case "prod":
      case "int":
      case "lim":
        return this.bigOperator(operator);
      case "begin": {
        const start = this.at - 1;
        const end = matchingBracket(this.tokens, start);
        this.at = end + 1;
        return this.readMatrix(this.tokens.slice(start, end + 1), this.depth + 1);
      }
      default:
        throw new NotMathematics(`an operator out of place: ${operator}`);
    }
  }

  private group(open: string): Node {
    const end = matchingBracket(this.tokens, this.at);
    const close = this.tokens[end]?.text ?? "";
    if (end === this.at + 1 && open === "\\{") {
      this.at = end + 1;
      return { kind: "symbol", name: "emptyset" };
    }
    const content = this.bracketed();
    if (open === "{") return content;
    const items = content.kind === "list" ? content.items : [content];
    if (open === "\\{") return { kind: "set", items };
    if (open === "langle") return { kind: "tuple", open: "(", close: ")", items };
    return items.length === 1 && CLOSERS[close] === (open === "(" ? ")" : "]")
      ? content
      : { kind: "tuple", open, close, items };
  }

  private absolute(): Node {
    const start = this.at;
    let depth = 0;
    for (let at = start; at < this.tokens.length; at++) {
      if (isOperator(this.tokens[at], "(", "[", "{", "\\{")) depth += 1;
      else if (isOperator(this.tokens[at], ")", "]", "}", "\\}")) depth -= 1;
      else if (isOperator(this.tokens[at], "|") && depth === 0) {
        const inner = new ExpressionParser(
          this.tokens.slice(start, at),
          this.depth + 1,
          this.readItems,
          this.readMatrix,
          this.inAngle,
        );
        inner.inBars = true;
        this.at = at + 1;
        return { kind: "apply", name: "abs", operands: [inner.parse()] };
      }
    }
    throw new NotMathematics("a lone bar");
  }

  private functionCall(name: string): Node {
    if (name === "sqrt") return this.root();
    let base: string | undefined;
    let exponent: Node | undefined;
    while (this.is("_", "^")) {
      if (this.take("_") !== undefined) base = this.subscript();
      else if (this.take("^") !== undefined) exponent = this.exponent();
    }
    const isAngle = TRIGONOMETRIC.test(name);
    const inverse = exponent?.kind === "number" && exponent.value.n === -1n && isAngle;
    const operand = this.functionOperand(isAngle && !inverse);
    const operands = operand.kind === "list" ? [...operand.items] : [operand];
    if (base !== undefined) operands.push(this.readItems(baseTokens(base), this.depth + 1));
    const call: Node = { kind: "apply", name: inverse ? `arc${name}` : name, operands };
    return exponent === undefined || inverse ? call : { kind: "power", base: call, exponent };
  }

  /** `\sin 2x \cos y`: without brackets the operand ends before the next function, sign or dot. */
  private functionOperand(inAngle: boolean): Node {
    if (this.is("(", "{", "[")) {
      const end = matchingBracket(this.tokens, this.at);
      const content = this.tokens.slice(this.at + 1, end);
      this.at = end + 1;
      return inAngle ? this.sub(content, true) : this.readItems(content, this.depth + 1);
    }
    const start = this.at;
    while (this.at < this.tokens.length) {
      const token = this.next;
      const isEnd =
        (token?.kind === "function" && token.text !== "sqrt") ||
        token?.kind === "words" ||
        this.is("+", "-", "pm", "mp", "*", "|", ")");
      if (isEnd && this.at > start) break;
      if (isEnd && token?.kind === "function") return this.factor();
      if (this.is("(", "[") && this.at > start) break;
      this.at = this.is("{", "(", "[") ? matchingBracket(this.tokens, this.at) + 1 : this.at + 1;
    }
    const sub = new ExpressionParser(
      this.tokens.slice(start, this.at),
      this.depth + 1,
      this.readItems,
      this.readMatrix,
      inAngle,
    );
    return sub.parse();
  }

  private root(): Node {
    let index: Node | undefined;
    if (this.is("[")) index = this.bracketed();
    const radicand = this.is("{", "(") ? this.bracketed() : this.base();
    const exponent: Node =
      index === undefined ? HALF : { kind: "quotient", top: { kind: "number", value: rational(1n) }, bottom: index };
    return { kind: "power", base: radicand, exponent };
  }

  /** `\sum_{k=0}^{n} body`: bounds are spelled, the body is read. */
  private bigOperator(name: string): Node {
    let bounds = "";
    while (this.is("_", "^")) {
      const which = this.take("_", "^");
      bounds += `${which}(${this.subscript()})`;
    }
    return { kind: "apply", name: `${name} ${bounds}`, operands: [this.product()] };
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

function letterProduct(letters: string): Node {
  return { kind: "product", factors: [...letters].map((name): Node => ({ kind: "symbol", name })) };
}

function baseTokens(text: string): Token[] {
  return [{ kind: /^\d/.test(text) ? "number" : "name", text, spaced: false }];
}
