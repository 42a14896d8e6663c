import type { Budget } from "../budget";
import { asRational, asTerm, multiply, type Polynomial, scale, subtract } from "../exact/polynomial";
import { divide, equal, isInteger, isZero, NoExactValue, type Rational, rational, toNumber } from "../exact/rational";
import { CONSTANTS, contains, type Node, type NumberNode } from "../latex/tree";
import { Canonical } from "./fraction";
import { evaluate, vanishes } from "./probe";

export function hasSymbols(node: Node): boolean {
  return contains(node, (each) => each.kind === "symbol" && !CONSTANTS.has(each.name));
}

/**
 * Whether two expressions have the same value: by canonical form where that decides, by probing where it does not.
 * @param roundedPlaces a decimal with at least so many places stands for what it is the rounding of.
 */
export function sameValue(a: Node, b: Node, roundedPlaces: number, budget: Budget): boolean {
  const [left, right] = [infinitySign(a), infinitySign(b)];
  if (left !== 0 || right !== 0) return left === right;
  try {
    if (a.kind === "number" && b.kind === "number" && equal(a.value, b.value)) return true;
    if (isRounded(a, b, roundedPlaces, budget) || isRounded(b, a, roundedPlaces, budget)) return true;
    if (a.kind === "number" && b.kind === "number") return false;
    const canonical = new Canonical(budget);
    const [p, q] = [canonical.of(a), canonical.of(b)];
    const difference = subtract(multiply(p.top, q.bottom, budget), multiply(q.top, p.bottom, budget));
    if (p.bottom.size === 0 || q.bottom.size === 0) return false;
    if (difference.size === 0) return true;
    if (canonical.atoms.independent || asRational(difference) !== undefined) return false;
    return vanishes(difference, canonical.atoms.nodes, hasSymbols(a) || hasSymbols(b), budget);
  } catch (error) {
    if (error instanceof NoExactValue) return false;
    throw error;
  }
}

/** 1 and -1 for the infinities alone, NaN for what else holds one, 0 for all others. NaN equals nothing. */
function infinitySign(node: Node): number {
  if (node.kind === "symbol" && node.name === "infinity") return 1;
  if (node.kind === "product" && node.factors.length === 2) {
    const [factor, other] = node.factors as [Node, Node];
    if (factor.kind === "number" && factor.value.n === -1n && factor.value.d === 1n) return -infinitySign(other);
  }
  return contains(node, (each) => each.kind === "symbol" && each.name === "infinity") ? Number.NaN : 0;
}

const LEAST_DIGITS = 3;

/** Whether `rounded` is a literal with enough places that is the rounding of the other value, which itself needs more places or has no end. */
function isRounded(rounded: Node, exact: Node, roundedPlaces: number, budget: Budget): boolean {
  const literal = literalOf(rounded);
  if (literal === undefined || literal.places === undefined || literal.places < roundedPlaces) return false;
  const step = rational(1n, 10n ** BigInt(literal.places));
  const digits = divide(literal.value, step).n.toString().replace("-", "").length;
  if (digits < LEAST_DIGITS || hasSymbols(exact)) return false;
  const value = exactValue(exact, budget);
  if (value !== undefined) {
    if (isInteger(divide(value, step)) && literal.places < 12) return false;
    const gap = toNumber(subtractRational(literal.value, value));
    // From 12 places on the last digits are those of a double.
    if (literal.places >= 12 && Math.abs(gap) <= 1e-12 * Math.abs(toNumber(value))) return true;
    return Math.abs(gap) <= toNumber(step) * (literal.places >= 6 ? 1 : 0.5);
  }
  const approximate = evaluate(exact, 0, budget);
  if (Math.abs(approximate.im) > 1e-12 * Math.abs(approximate.re)) return false;
  const tolerance = Math.max(toNumber(step) * (literal.places >= 6 ? 1 : 0.5), 1e-12 * Math.abs(approximate.re));
  return Math.abs(toNumber(literal.value) - approximate.re) <= tolerance;
}

function subtractRational(a: Rational, b: Rational): Rational {
  return rational(a.n * b.d - b.n * a.d, a.d * b.d);
}

function literalOf(node: Node): NumberNode | undefined {
  if (node.kind === "number") return node;
  return undefined;
}

/** The value of an expression when it is rational; undefined when it is not or when that cannot be told. */
function exactValue(node: Node, budget: Budget): Rational | undefined {
  if (node.kind === "number") return node.value;
  const { top, bottom } = new Canonical(budget).of(node);
  const [n, d] = [asRational(top), asRational(bottom)];
  return n === undefined || d === undefined || isZero(d) ? undefined : divide(n, d);
}

/**
 * Whether a = factor * b for one number that is not 0, as the two sides of equations are; `positive` asks for a positive factor, as inequalities
 * need. Neither may be zero itself.
 */
export function proportional(a: Node, b: Node, positive: boolean, budget: Budget): boolean {
  try {
    const canonical = new Canonical(budget);
    const [p, q] = [canonical.of(a), canonical.of(b)];
    const left: Polynomial = multiply(p.top, q.bottom, budget);
    const right: Polynomial = multiply(q.top, p.bottom, budget);
    if (left.size === 0 || right.size === 0) return false;
    // Any term that both have gives the only factor that can be.
    for (const [key, term] of left) {
      const other = right.get(key);
      if (other === undefined) continue;
      const factor = divide(term.coefficient, other.coefficient);
      if (positive && factor.n < 0n) continue;
      const difference = subtract(left, scale(right, factor));
      if (difference.size === 0) return true;
      if (canonical.atoms.independent) return false;
      if (vanishes(difference, canonical.atoms.nodes, true, budget)) return true;
    }
    const only = asTerm(left);
    // A factor with a root in it, as between x - sqrt(2) = 0 and sqrt(2) x - 2 = 0.
    if (positive || only !== undefined) return false;
    return crossProportional(left, right, canonical, budget);
  } catch (error) {
    if (error instanceof NoExactValue) return false;
    throw error;
  }
}

function crossProportional(left: Polynomial, right: Polynomial, canonical: Canonical, budget: Budget): boolean {
  if (left.size !== right.size) return false;
  // The terms free of symbols of one side times the whole of the other.
  const constants = (p: Polynomial): Polynomial => new Map([...p].filter(([, term]) => term.powers.length === 0));
  const [a, b] = [constants(left), constants(right)];
  if (a.size === 0 || b.size === 0) return false;
  const difference = subtract(multiply(left, b, budget), multiply(right, a, budget));
  if (difference.size === 0) return true;
  return !canonical.atoms.independent && vanishes(difference, canonical.atoms.nodes, true, budget);
}
