import type { Budget } from "../budget";
import { asRational, asTerm } from "../exact/polynomial";
import {
  bitLength,
  divide,
  isInteger,
  isZero,
  type Rational,
  rational,
  subtract,
  toNumber,
  work,
} from "../exact/rational";
import { contains, hasSymbols, type Node, type NumberNode } from "../latex/tree";
import { Canonical, isUnit } from "./fraction";
import { evaluate } from "./probe";

/** Which decimals may stand for the exact value that they are the rounding of. */
export interface Rounding {
  /** Those with at least so many places, on either side. */
  readonly roundedPlaces: number;
  /**
   * Those with at least two places and so many significant digits, in the prediction, for a gold answer without
   * decimals. One digit fewer does for a whole multiple of a square root: with two places, roots of different whole
   * numbers below 100 are told apart.
   */
  readonly roundedDigits: number;
}

export const EXACTLY: Rounding = {
  roundedPlaces: Number.POSITIVE_INFINITY,
  roundedDigits: Number.POSITIVE_INFINITY,
};

/** Places of a literal that holds all that a double does. */
const DOUBLE_PLACES = 16;
const DOUBLE_PRECISION = 2 ** -52;
/** A fraction with a larger denominator has been made from a double. */
const LARGEST_DENOMINATOR = 10n ** 9n;
const LEAST_DIGITS = 3;
const LEAST_PLACES = 2;

/** Whether one of two values is a decimal, or a double turned into a fraction, that may stand for the other. */
export function standsFor(prediction: Node, gold: Node, rounding: Rounding, budget: Budget): boolean {
  return (
    isRounded(prediction, gold, (literal) => literal.places >= rounding.roundedPlaces, budget) ||
    isRounded(gold, prediction, (literal) => literal.places >= rounding.roundedPlaces, budget) ||
    isShortRounding(prediction, gold, rounding, budget) ||
    (rounding.roundedPlaces <= DOUBLE_PLACES && isDoubleAsFraction(prediction, gold, budget))
  );
}

type Decimal = NumberNode & { readonly places: number };

function isShortRounding(prediction: Node, gold: Node, { roundedDigits }: Rounding, budget: Budget): boolean {
  // A whole number with zeros for places, 1.000, is near too many values.
  if (prediction.kind !== "number" || isInteger(prediction.value) || hasDecimals(gold)) return false;
  const isLongEnough = (literal: Decimal): boolean => {
    const digits = significantDigits(literal);
    if (literal.places < LEAST_PLACES || digits < roundedDigits - 1) return false;
    return digits >= roundedDigits || isMultipleOfRoot(gold, budget);
  };
  return isRounded(prediction, gold, isLongEnough, budget);
}

function hasDecimals(node: Node): boolean {
  return contains(node, (each) => each.kind === "number" && each.places !== undefined);
}

function significantDigits({ value, places }: Decimal): number {
  const digits = (value.n * 10n ** BigInt(places)) / value.d;
  return String(digits).replace("-", "").length;
}

/**
 * Whether a literal that is long enough is the rounding of the other value, which itself needs more places or has no
 * end.
 */
function isRounded(rounded: Node, exact: Node, isLongEnough: (literal: Decimal) => boolean, budget: Budget): boolean {
  if (rounded.kind !== "number" || rounded.places === undefined) return false;
  const literal: Decimal = { ...rounded, places: rounded.places };
  budget.step(work(literal.value));
  if (!isLongEnough(literal) || significantDigits(literal) < LEAST_DIGITS || hasSymbols(exact)) return false;
  const step = rational(1n, 10n ** BigInt(literal.places));
  const value = exactValue(exact, budget);
  if (value !== undefined) {
    budget.step(work(value));
    if (isInteger(divide(value, step)) && literal.places < 12) return false;
    const gap = toNumber(subtract(literal.value, value));
    // From 12 places on the last digits are those of a double.
    if (literal.places >= 12 && Math.abs(gap) <= 1e-12 * Math.abs(toNumber(value))) return true;
    return Math.abs(gap) <= toNumber(step) * (literal.places >= 6 ? 1 : 0.5);
  }
  const approximate = realValue(exact, budget);
  if (approximate === undefined) return false;
  const tolerance = Math.max(toNumber(step) * (literal.places >= 6 ? 1 : 0.5), 1e-12 * Math.abs(approximate));
  return Math.abs(toNumber(literal.value) - approximate) <= tolerance;
}

/**
 * A fraction with a denominator above 10^9 that equals the gold answer to the precision of a double; a whole number
 * needs no such fraction.
 */
function isDoubleAsFraction(prediction: Node, gold: Node, budget: Budget): boolean {
  if (hasSymbols(prediction) || hasSymbols(gold) || hasDecimals(gold)) return false;
  const fraction = writtenFraction(prediction);
  if (fraction === undefined || fraction.d <= LARGEST_DENOMINATOR) return false;
  const value = exactValue(gold, budget);
  if (value !== undefined) {
    if (isInteger(value) || value.d > LARGEST_DENOMINATOR) return false;
    budget.step(work(fraction) + work(value));
    return Math.abs(toNumber(subtract(fraction, value))) <= DOUBLE_PRECISION * Math.abs(toNumber(value));
  }
  const approximate = realValue(gold, budget);
  return (
    approximate !== undefined && Math.abs(toNumber(fraction) - approximate) <= DOUBLE_PRECISION * Math.abs(approximate)
  );
}

/** The value of one whole number over another, with or without a sign. */
function writtenFraction(node: Node): Rational | undefined {
  if (node.kind === "product" && node.factors.length === 2) {
    const [sign, other] = node.factors as [Node, Node];
    const value = sign.kind === "number" && isMinusOne(sign.value) ? writtenFraction(other) : undefined;
    return value === undefined ? undefined : { n: -value.n, d: value.d };
  }
  if (node.kind !== "quotient" || node.top.kind !== "number" || node.bottom.kind !== "number") return undefined;
  if (!isInteger(node.top.value) || !isInteger(node.bottom.value)) return undefined;
  if (Math.max(bitLength(node.top.value.n), bitLength(node.bottom.value.n)) > 128) return undefined;
  return divide(node.top.value, node.bottom.value);
}

const isMinusOne = (value: Rational): boolean => value.n === -1n && value.d === 1n;

/** `\sqrt{13}` and `14\sqrt{15}`: a whole number times the root of a whole number. */
function isMultipleOfRoot(node: Node, budget: Budget): boolean {
  const { top, bottom } = new Canonical(budget).of(node);
  const term = isUnit(bottom) ? asTerm(top) : undefined;
  if (term === undefined || term.imaginary || term.powers.length > 0) return false;
  return term.radicand !== 1n && isInteger(term.coefficient);
}

/** The value of an expression when it is rational; undefined when it is not or when that cannot be told. */
function exactValue(node: Node, budget: Budget): Rational | undefined {
  if (node.kind === "number") return node.value;
  const { top, bottom } = new Canonical(budget).of(node);
  const [n, d] = [asRational(top), asRational(bottom)];
  return n === undefined || d === undefined || isZero(d) ? undefined : divide(n, d);
}

/** The value of an expression without symbols in double precision; undefined when it is not real. */
function realValue(node: Node, budget: Budget): number | undefined {
  const { re, im } = evaluate(node, 0, budget);
  return Math.abs(im) > 1e-12 * Math.abs(re) ? undefined : re;
}
