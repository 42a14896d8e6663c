import type { Budget } from "../budget";
import { asRational, asTerm, multiply, type Polynomial, scale, subtract } from "../exact/polynomial";
import { divide, equal, NoExactValue } from "../exact/rational";
import { contains, hasSymbols, type Node } from "../latex/tree";
import { Canonical } from "./fraction";
import { vanishes } from "./probe";
import { type Rounding, standsFor } from "./rounding";

/**
 * Whether two expressions have the same value: by canonical form where that decides, by probing where it does not.
 * @param a the prediction; only in it may a short decimal stand for an exact value.
 */
export function sameValue(a: Node, b: Node, rounding: Rounding, budget: Budget): boolean {
  const [left, right] = [infinitySign(a), infinitySign(b)];
  if (left !== 0 || right !== 0) return left === right;
  try {
    if (a.kind === "number" && b.kind === "number" && equal(a.value, b.value)) return true;
    if (standsFor(a, b, rounding, budget)) return true;
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

/**
 * Whether a = factor * b for one number that is not 0, as the two sides of equations are; `positive` asks for a
 * positive factor, as inequalities need. Neither may be zero itself.
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
