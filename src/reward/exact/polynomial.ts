import type { Budget } from "../budget";
import {
  add as addRational,
  gcd,
  isZero,
  multiply as multiplyRational,
  NoExactValue,
  negate,
  ONE,
  power,
  type Rational,
  rational,
  work,
} from "./rational";

/**
 * A rational multiple of i^0|1, the square root of a square-free whole number, and whole powers of atoms. Atoms are
 * symbols, pi and whatever else is not taken apart; they are known by number.
 */
export interface Term {
  readonly coefficient: Rational;
  readonly imaginary: boolean;
  readonly radicand: bigint;
  /** [atom, exponent], by rising atom; no exponent is 0. Exponents may be negative. */
  readonly powers: readonly (readonly [number, number])[];
}

/** Terms by what they are besides their coefficient. Empty for zero. */
export type Polynomial = ReadonlyMap<string, Term>;

const MOST_TERMS = 400;
const MOST_EXPONENT = 400;

function keyOf({ imaginary, radicand, powers }: Term): string {
  if (powers.length === 0) return imaginary ? `i${radicand}` : `${radicand}`;
  return `${imaginary ? "i" : ""}${radicand}|${powers.map(([atom, exponent]) => `${atom}^${exponent}`).join(",")}`;
}

export function term(coefficient: Rational, parts: Partial<Omit<Term, "coefficient">> = {}): Polynomial {
  const whole: Term = { coefficient, imaginary: false, radicand: 1n, powers: [], ...parts };
  return isZero(coefficient) ? new Map() : new Map([[keyOf(whole), whole]]);
}

export const constant = (value: Rational): Polynomial => term(value);
export const atomPower = (atom: number, exponent: number): Polynomial => term(ONE, { powers: [[atom, exponent]] });

/** The value when there is nothing but a rational number. */
export function asRational(p: Polynomial): Rational | undefined {
  if (p.size === 0) return rational(0n);
  const only = p.size === 1 ? p.get("1") : undefined;
  return only?.coefficient;
}

export function asTerm(p: Polynomial): Term | undefined {
  return p.size === 1 ? p.values().next().value : undefined;
}

export function add(a: Polynomial, b: Polynomial): Polynomial {
  const sum = new Map(a);
  for (const [key, next] of b) accumulate(sum, key, next);
  if (sum.size > MOST_TERMS) throw new NoExactValue("too many terms");
  return sum;
}

function accumulate(sum: Map<string, Term>, key: string, next: Term): void {
  const present = sum.get(key);
  if (present === undefined) {
    sum.set(key, next);
    return;
  }
  const coefficient = addRational(present.coefficient, next.coefficient);
  if (isZero(coefficient)) sum.delete(key);
  else sum.set(key, { ...present, coefficient });
}

export function scale(a: Polynomial, factor: Rational): Polynomial {
  if (isZero(factor)) return new Map();
  return new Map(
    [...a].map(([key, each]) => [key, { ...each, coefficient: multiplyRational(each.coefficient, factor) }]),
  );
}

export function subtract(a: Polynomial, b: Polynomial): Polynomial {
  const difference = new Map(a);
  for (const [key, next] of b) accumulate(difference, key, { ...next, coefficient: negate(next.coefficient) });
  return difference;
}

/** @throws NoExactValue when the product would be too large. */
export function multiply(a: Polynomial, b: Polynomial, budget: Budget): Polynomial {
  const product = new Map<string, Term>();
  for (const left of a.values())
    for (const right of b.values()) {
      budget.step(work(left.coefficient) + work(right.coefficient));
      const next = multiplyTerms(left, right);
      accumulate(product, keyOf(next), next);
      if (product.size > MOST_TERMS) throw new NoExactValue("too many terms");
    }
  return product;
}

export function multiplyTerms(a: Term, b: Term): Term {
  let coefficient = multiplyRational(a.coefficient, b.coefficient);
  if (a.imaginary && b.imaginary) coefficient = negate(coefficient);
  let radicand = a.radicand === 1n ? b.radicand : a.radicand;
  if (a.radicand !== 1n && b.radicand !== 1n) {
    const common = gcd(a.radicand, b.radicand);
    coefficient = multiplyRational(coefficient, rational(common));
    radicand = (a.radicand / common) * (b.radicand / common);
  }
  return { coefficient, imaginary: a.imaginary !== b.imaginary, radicand, powers: mergePowers(a.powers, b.powers) };
}

function mergePowers(a: Term["powers"], b: Term["powers"]): Term["powers"] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged = new Map(a);
  for (const [atom, exponent] of b) {
    const sum = (merged.get(atom) ?? 0) + exponent;
    if (Math.abs(sum) > MOST_EXPONENT) throw new NoExactValue("a large exponent");
    if (sum === 0) merged.delete(atom);
    else merged.set(atom, sum);
  }
  return [...merged].sort(([left], [right]) => left - right);
}

/** 1 / term. The term is not zero. */
export function invertTerm(a: Term): Term {
  // 1/(c i sqrt(r)) = i sqrt(r) / (-c r).
  const below = multiplyRational(a.coefficient, rational(a.imaginary ? -a.radicand : a.radicand));
  return {
    coefficient: rational(below.d, below.n),
    imaginary: a.imaginary,
    radicand: a.radicand,
    powers: a.powers.map(([atom, exponent]) => [atom, -exponent] as const),
  };
}

export const fromTerm = (a: Term): Polynomial => new Map([[keyOf(a), a]]);

/** @param exponent whole and not negative. @throws NoExactValue when the power would be too large. */
export function raise(base: Polynomial, exponent: number, budget: Budget): Polynomial {
  const value = asRational(base);
  if (value !== undefined) return constant(power(value, exponent));
  if (exponent > MOST_EXPONENT || (base.size > 1 && exponent > 60)) throw new NoExactValue("a large exponent");
  let result: Polynomial = constant(ONE);
  for (let square = base, left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(result, square, budget);
    if (left > 1) square = multiply(square, square, budget);
  }
  return result;
}

/** One spelling for equal polynomials over the same atoms. */
export function spell(p: Polynomial): string {
  return [...p]
    .map(([key, { coefficient }]) => `${coefficient.n}/${coefficient.d}*${key}`)
    .sort()
    .join("+");
}
