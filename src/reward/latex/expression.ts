import { decimal, rational } from "../exact/rational";
import { ArithmeticParser } from "./arithmetic";
import { isOperator, matchingBracket, spell } from "./brackets";
import { NotMathematics, type Token } from "./tokens";
import type { Node, NumberNode } from "./tree";

type Reader = (tokens: readonly Token[], depth: number) => Node;

const HALF: Node = { kind: "number", value: rational(1n, 2n) };
const TRIGONOMETRIC = /^(?:sin|cos|tan|cot|sec|csc)$/;
const CLOSERS: Readonly<Record<string, string>> = { "]": "]", ")": ")" };

/**
 * Reads operands and, by {@link ArithmeticParser}, what operators make of them: everything below items, relations and
 * units.
 */
export class ExpressionParser extends ArithmeticParser {
  readonly #depth: number;
  readonly #readItems: Reader;
  readonly #readMatrix: Reader;

  constructor(tokens: readonly Token[], depth: number, readItems: Reader, readMatrix: Reader, inAngle = false) {
    super(tokens, inAngle);
    this.#depth = depth;
    this.#readItems = readItems;
    this.#readMatrix = readMatrix;
  }

  parse(): Node {
    const node = this.sum();
    if (this.at < this.tokens.length) throw new NotMathematics("something after the end");
    return node;
  }

  protected override base(): Node {
    const token = this.next;
    if (token === undefined) throw new NotMathematics("a missing operand");
    this.at += 1;
    switch (token.kind) {
      case "number":
        return this.#number(token);
      case "name":
        return this.#name(token.text);
      case "letters":
        return letterProduct(token.text);
      case "function":
        return this.#functionCall(token.text);
      case "words":
        throw new NotMathematics("words");
      default:
        return this.#operatorBase(token.text);
    }
  }

  #number(token: Token): Node {
    if (this.is("_")) {
      this.at += 1;
      return { kind: "based", digits: token.text, base: this.#subscript() };
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

  #name(name: string): Node {
    let full = name;
    if (this.take("_") !== undefined) full += `_${this.#subscript()}`;
    while (this.take("'") !== undefined) full += "'";
    if (this.is("(") && (/^[fgh](?:_|'|$)/.test(full) || (/^[A-Z]/.test(full) && this.#hasPlainOperand()))) {
      const operands = this.#bracketed();
      return { kind: "apply", name: full, operands: operands.kind === "list" ? operands.items : [operands] };
    }
    return { kind: "symbol", name: full };
  }

  /** `I(0)` and `P(x)` apply a function; `P(1+r)` may be a product. */
  #hasPlainOperand(): boolean {
    const operand = this.tokens[this.at + 1];
    return (operand?.kind === "number" || operand?.kind === "name") && isOperator(this.tokens[this.at + 2], ")");
  }

  /** What stands under: spelled, without its braces. */
  #subscript(): string {
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
  #bracketed(): Node {
    const end = matchingBracket(this.tokens, this.at);
    const content = this.tokens.slice(this.at + 1, end);
    this.at = end + 1;
    return this.inAngle ? this.#sub(content) : this.#readItems(content, this.#depth + 1);
  }

  #sub(tokens: readonly Token[], inAngle = this.inAngle): Node {
    return this.#depth > 40
      ? this.#readItems(tokens, this.#depth)
      : new ExpressionParser(tokens, this.#depth + 1, this.#readItems, this.#readMatrix, inAngle).parse();
  }

  /** An argument of a command: a group, or one digit or letter. */
  #argument(): Node {
    return this.is("{") ? this.#bracketed() : this.base();
  }

  #operatorBase(operator: string): Node {
    switch (operator) {
      case "(":
      case "[":
      case "{":
      case "\\{":
      case "langle":
        this.at -= 1;
        return this.#group(operator);
      case "frac":
        return { kind: "quotient", top: this.#argument(), bottom: this.#argument() };
      case "binom":
        return { kind: "apply", name: "binomial", operands: [this.#argument(), this.#argument()] };
      case "lfloor":
      case "lceil":
        this.at -= 1;
        return { kind: "apply", name: operator === "lfloor" ? "floor" : "ceiling", operands: [this.#bracketed()] };
      case "wrap":
        return this.#argument();
      case "accent":
        return { kind: "apply", name: "accent", operands: [this.#argument()] };
      case "overline":
        return { kind: "apply", name: "overline", operands: [this.#argument()] };
      case "|":
        return this.#absolute();
      case "sum":
      case "prod":
      case "int":
      case "lim":
        return this.#bigOperator(operator);
      case "begin": {
        const start = this.at - 1;
        const end = matchingBracket(this.tokens, start);
        this.at = end + 1;
        return this.#readMatrix(this.tokens.slice(start, end + 1), this.#depth + 1);
      }
      default:
        throw new NotMathematics(`an operator out of place: ${operator}`);
    }
  }

  #group(open: string): Node {
    const end = matchingBracket(this.tokens, this.at);
    const close = this.tokens[end]?.text ?? "";
    if (end === this.at + 1 && open === "\\{") {
      this.at = end + 1;
      return { kind: "symbol", name: "emptyset" };
    }
    const content = this.#bracketed();
    if (open === "{") return content;
    const items = content.kind === "list" ? content.items : [content];
    if (open === "\\{") return { kind: "set", items };
    if (open === "langle") return { kind: "tuple", open: "(", close: ")", items };
    return items.length === 1 && CLOSERS[close] === (open === "(" ? ")" : "]")
      ? content
      : { kind: "tuple", open, close, items };
  }

  #absolute(): Node {
    const start = this.at;
    let depth = 0;
    for (let at = start; at < this.tokens.length; at++) {
      if (isOperator(this.tokens[at], "(", "[", "{", "\\{")) depth += 1;
      else if (isOperator(this.tokens[at], ")", "]", "}", "\\}")) depth -= 1;
      else if (isOperator(this.tokens[at], "|") && depth === 0) {
        const inner = new ExpressionParser(
          this.tokens.slice(start, at),
          this.#depth + 1,
          this.#readItems,
          this.#readMatrix,
          this.inAngle,
        );
        inner.inBars = true;
        this.at = at + 1;
        return { kind: "apply", name: "abs", operands: [inner.parse()] };
      }
    }
    throw new NotMathematics("a lone bar");
  }

  #functionCall(name: string): Node {
    if (name === "sqrt") return this.#root();
    let base: string | undefined;
    let exponent: Node | undefined;
    while (this.is("_", "^")) {
      if (this.take("_") !== undefined) base = this.#subscript();
      else if (this.take("^") !== undefined) exponent = this.exponent();
    }
    const isAngle = TRIGONOMETRIC.test(name);
    const inverse = exponent?.kind === "number" && exponent.value.n === -1n && isAngle;
    const operand = this.#functionOperand(isAngle && !inverse);
    const operands = operand.kind === "list" ? [...operand.items] : [operand];
    if (base !== undefined) operands.push(this.#readItems(baseTokens(base), this.#depth + 1));
    const call: Node = { kind: "apply", name: inverse ? `arc${name}` : name, operands };
    return exponent === undefined || inverse ? call : { kind: "power", base: call, exponent };
  }

  /** `\sin 2x \cos y`: without brackets the operand ends before the next function, sign or dot. */
  #functionOperand(inAngle: boolean): Node {
    if (this.is("(", "{", "[")) {
      const end = matchingBracket(this.tokens, this.at);
      const content = this.tokens.slice(this.at + 1, end);
      this.at = end + 1;
      return inAngle ? this.#sub(content, true) : this.#readItems(content, this.#depth + 1);
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
      this.#depth + 1,
      this.#readItems,
      this.#readMatrix,
      inAngle,
    );
    return sub.parse();
  }

  #root(): Node {
    let index: Node | undefined;
    if (this.is("[")) index = this.#bracketed();
    const radicand = this.is("{", "(") ? this.#bracketed() : this.base();
    const exponent: Node =
      index === undefined ? HALF : { kind: "quotient", top: { kind: "number", value: rational(1n) }, bottom: index };
    return { kind: "power", base: radicand, exponent };
  }

  /** `\sum_{k=0}^{n} body`: bounds are spelled, the body is read. */
  #bigOperator(name: string): Node {
    let bounds = "";
    while (this.is("_", "^")) {
      const which = this.take("_", "^");
      bounds += `${which}(${this.#subscript()})`;
    }
    return { kind: "apply", name: `${name} ${bounds}`, operands: [this.product()] };
  }
}

function letterProduct(letters: string): Node {
  return { kind: "product", factors: [...letters].map((name): Node => ({ kind: "symbol", name })) };
}

function baseTokens(text: string): Token[] {
  return [{ kind: /^\d/.test(text) ? "number" : "name", text, spaced: false }];
}

/** A literal's node. @param text digits with at most one point, perhaps with an exponent of ten. */
function literal(text: string): NumberNode {
  const [mantissa = "", exponent] = text.split(/e/i);
  const value = decimal(mantissa);
  const places = mantissa.split(".")[1]?.length ?? 0;
  if (exponent === undefined) return places > 0 ? { kind: "number", value, places } : { kind: "number", value };
  const power = Number(exponent);
  const scale = 10n ** BigInt(Math.abs(power));
  return {
    kind: "number",
    value: power < 0 ? rational(value.n, value.d * scale) : rational(value.n * scale, value.d),
    places: Math.max(places - power, 0),
  };
}

/** `0.1` and the digits that repeat, `6`, give 1/6. */
function repeatingDecimal(text: string, repeated: string): NumberNode {
  const [whole = "", fixed = ""] = text.split(".");
  const ten = 10n ** BigInt(fixed.length);
  const nines = 10n ** BigInt(repeated.length) - 1n;
  const value = rational(BigInt(`${whole}${fixed}` || "0") * nines + BigInt(repeated), ten * nines);
  return { kind: "number", value };
}
