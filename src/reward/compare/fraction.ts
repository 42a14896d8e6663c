import type { Budget } from "../budget";
import {
  add,
  asRational,
  asTerm,
  atomPower,
  constant,
  fromTerm,
  invertTerm,
  multiply,
  type Polynomial,
  raise,
  spell,
  term,
} from "../exact/polynomial";
import {
  isInteger,
  NoExactValue,
  ONE,
  power,
  type Rational,
  rational,
  squareFree,
  wholeRoot,
  work,
  ZERO,
} from "../exact/rational";
import type { Node } from "../latex/tree";

/** A quotient of polynomials; the denominator is 1 or has several terms. */
export interface Fraction {
  readonly top: Polynomial;
  readonly bottom: Polynomial;
}

const UNIT: Polynomial = constant(ONE);
export const isUnit = (p: Polynomial): boolean =>
  p === UNIT || (p.size === 1 && asRational(p)?.n === 1n && asRational(p)?.d === 1n);

/** The trial divisions of a root, in steps. */
const ROOT_STEPS = 40;

/**
 * The atoms of one comparison: symbols, and every part that the exact arithmetic does not take apart, such as sin(x).
 * Parts of equal canonical form are one atom.
 */
export class Atoms {
  readonly #numbers = new Map<string, number>();
  readonly nodes: Node[] = [];
  /** False once an atom exists about which algebra does not know all: equality can then only be probed. */
  independent = true;

  of(key: string, node: Node, independent: boolean): number {
    if (!independent) this.independent = false;
    let atom = this.#numbers.get(key);
    if (atom === undefined) {
      atom = this.nodes.push(node) - 1;
      this.#numbers.set(key, atom);
    }
    return atom;
  }
}

/** Brings expressions into their canonical form over shared {@link Atoms}. */
export class Canonical {
  readonly atoms = new Atoms();
  constructor(readonly budget: Budget) {}

  /** @throws NoExactValue for what is no number (a set, 1/0, infinity) or too large. */
  of(node: Node): Fraction {
    this.budget.step();
    const fraction = this.#taken(node);
    for (const part of [fraction.top, fraction.bottom])
      for (const { coefficient } of part.values()) this.budget.step(work(coefficient));
    return fraction;
  }

  #taken(node: Node): Fraction {
    switch (node.kind) {
      case "number":
        return { top: constant(node.value), bottom: UNIT };
      case "symbol":
        return this.#symbol(node);
      case "sum":
        return node.terms.map((each) => this.of(each)).reduce((a, b) => this.#add(a, b));
      case "product":
        return node.factors.map((each) => this.of(each)).reduce((a, b) => this.#multiply(a, b));
      case "quotient":
        return this.#multiply(this.of(node.top), this.#invert(this.of(node.bottom)));
      case "power":
        return this.#power(node);
      case "apply":
        return this.#apply(node);
      case "based":
        return this.#atom(`based ${node.digits}_${node.base}`, node);
      default:
        throw new NoExactValue("no number");
    }
  }

  #atom(key: string, node: Node, exponent = 1, independent = false): Fraction {
    return { top: atomPower(this.atoms.of(key, node, independent), exponent), bottom: UNIT };
  }

  #symbol(node: Node & { kind: "symbol" }): Fraction {
    if (node.name === "infinity") throw new NoExactValue("infinity");
    if (node.name === "i") return { top: term(ONE, { imaginary: true }), bottom: UNIT };
    return this.#atom(node.name, node, 1, true);
  }

  #add(a: Fraction, b: Fraction): Fraction {
    if (isUnit(a.bottom) && isUnit(b.bottom)) return { top: add(a.top, b.top), bottom: UNIT };
    if (a.bottom === b.bottom || spell(a.bottom) === spell(b.bottom))
      return { top: add(a.top, b.top), bottom: a.bottom };
    const top = add(multiply(a.top, b.bottom, this.budget), multiply(b.top, a.bottom, this.budget));
    return { top, bottom: multiply(a.bottom, b.bottom, this.budget) };
  }

  #multiply(a: Fraction, b: Fraction): Fraction {
    const bottom = isUnit(a.bottom)
      ? b.bottom
      : isUnit(b.bottom)
        ? a.bottom
        : multiply(a.bottom, b.bottom, this.budget);
    return { top: multiply(a.top, b.top, this.budget), bottom };
  }

  #invert(a: Fraction): Fraction {
    if (a.top.size === 0) throw new NoExactValue("division by zero");
    const only = asTerm(a.top);
    if (only === undefined) return { top: a.bottom, bottom: a.top };
    return { top: multiply(a.bottom, fromTerm(invertTerm(only)), this.budget), bottom: UNIT };
  }

  #power(node: Node & { kind: "power" }): Fraction {
    const exponent = this.of(node.exponent);
    const value = isUnit(exponent.bottom) ? asRational(exponent.top) : undefined;
    const base = this.of(node.base);
    if (value === undefined) return this.#atom(`(${this.#key(base)})^(${this.#key(exponent)})`, node);
    if (base.top.size === 0 && value.n <= 0n) throw new NoExactValue("0^0 or a division by zero");
    if (isInteger(value)) return this.#wholePower(base, Number(value.n));
    if (base.top.size === 0) return base;
    if (value.d > 100n) return this.#atom(`(${this.#key(base)})^(${value.n}/${value.d})`, node);
    const root = this.#root(base, Number(value.d), node.base);
    return this.#wholePower(root, Number(value.n));
  }

  #wholePower(base: Fraction, exponent: number): Fraction {
    const raised = {
      top: raise(base.top, Math.abs(exponent), this.budget),
      bottom: raise(base.bottom, Math.abs(exponent), this.budget),
    };
    return exponent < 0 ? this.#invert(raised) : raised;
  }

  #root(base: Fraction, index: number, node: Node): Fraction {
    const value = isUnit(base.bottom) ? asRational(base.top) : undefined;
    // Of a root, factors are looked for one by one.
    if (value !== undefined) this.budget.step(ROOT_STEPS * work(value));
    const exact = value === undefined ? undefined : exactRoot(value, index);
    if (exact !== undefined) return { top: exact, bottom: UNIT };
    const exponent: Node = { kind: "number", value: rational(1n, BigInt(index)) };
    return this.#atom(`(${this.#key(base)})^(1/${index})`, { kind: "power", base: node, exponent });
  }

  #apply(node: Node & { kind: "apply" }): Fraction {
    const operands = node.operands.map((each) => this.#operandKey(each));
    const values = operands.map((each) => each.value);
    const value = values.every((each) => each !== undefined) ? exactFunction(node.name, values) : undefined;
    if (value !== undefined) return { top: constant(value), bottom: UNIT };
    return this.#atom(`${node.name}(${operands.map((each) => each.key).join(";")})`, node);
  }

  /** An operand's spelling, also for one that is no number, and its value when it is rational. */
  #operandKey(node: Node): { key: string; value?: Rational } {
    if (node.kind === "matrix")
      return { key: node.rows.map((row) => row.map((cell) => this.#operandKey(cell).key).join("&")).join("/") };
    const fraction = this.of(node);
    const value = isUnit(fraction.bottom) ? asRational(fraction.top) : undefined;
    return value === undefined ? { key: this.#key(fraction) } : { key: this.#key(fraction), value };
  }

  #key(a: Fraction): string {
    return isUnit(a.bottom) ? spell(a.top) : `(${spell(a.top)})/(${spell(a.bottom)})`;
  }
}

/** Square roots of all rationals, and other roots that are rational. */
function exactRoot(value: Rational, index: number): Polynomial | undefined {
  const negative = value.n < 0n;
  const n = negative ? -value.n : value.n;
  if (index === 2) {
    const { square, rest } = squareFree(n * value.d);
    return term(rational(square, value.d), { imaginary: negative, radicand: rest });
  }
  if (negative && index % 2 === 0) return undefined;
  const top = wholeRoot(n, index);
  const bottom = wholeRoot(value.d, index);
  if (top === undefined || bottom === undefined) return undefined;
  return constant(rational(negative ? -top : top, bottom));
}

const MOST_FACTORIAL = 300n;

function exactFunction(name: string, values: readonly (Rational | undefined)[]): Rational | undefined {
  const [a, b] = values;
  if (a === undefined) return undefined;
  switch (name) {
    case "factorial":
      if (!isInteger(a) || a.n < 0n || a.n > MOST_FACTORIAL) throw new NoExactValue("factorial");
      return rational(product(1n, a.n));
    case "binomial":
      if (b === undefined || !isInteger(a) || !isInteger(b) || a.n < 0n || b.n < 0n) return undefined;
      if (b.n > a.n) return ZERO;
      if (a.n > 5000n || (b.n > MOST_FACTORIAL && a.n - b.n > MOST_FACTORIAL)) throw new NoExactValue("binomial");
      return choose(a.n, b.n);
    case "abs":
      return a.n < 0n ? { n: -a.n, d: a.d } : a;
    case "floor":
    case "ceiling": {
      const floor = a.n >= 0n || a.n % a.d === 0n ? a.n / a.d : a.n / a.d - 1n;
      return rational(name === "floor" || isInteger(a) ? floor : floor + 1n);
    }
    case "exp":
      return a.n === 0n ? power(ONE, 1) : undefined;
    default:
      return undefined;
  }
}

function product(from: bigint, to: bigint): bigint {
  let result = 1n;
  for (let factor = from; factor <= to; factor++) result *= factor;
  return result;
}

function choose(n: bigint, below: bigint): Rational {
  const k = below * 2n > n ? n - below : below;
  return rational(product(n - k + 1n, n) / product(1n, k));
}
