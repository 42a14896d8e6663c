import type { Budget } from "../budget";
import * as C from "../exact/complex";
import type { Polynomial } from "../exact/polynomial";
import { toNumber } from "../exact/rational";
import type { Node } from "../latex/tree";

/**
 * Where expressions with symbols are compared: a symbol's value at a point follows from its name, so that runs repeat.
 * Four points are positive, four of either sign, four complex.
 */
const POINTS = 12;
/** A sum is zero when it is this small beside the sum of its terms' sizes. */
const TOLERANCE = 1e-13;

/** Deterministic value in [0, 1) of a text. */
function hash(text: string, seed: number): number {
  let state = 0x811c9dc5 ^ Math.imul(seed + 1, 0x9e3779b9);
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  state = Math.imul(state ^ (state >>> 15), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return ((state ^ (state >>> 16)) >>> 0) / 2 ** 32;
}

function pointValue(name: string, point: number): C.Complex {
  const first = hash(name, 2 * point);
  const second = hash(name, 2 * point + 1);
  if (point < 4) return C.complex(0.35 + 2.2 * first);
  if (point < 8) return C.complex((0.3 + 2.5 * first) * (second < 0.6 ? -1 : 1));
  return C.complex(0.4 + 1.7 * first, (second - 0.5) * 2.2);
}

/**
 * Value of an expression at a point. NaN where it has none. Unknown functions have values that follow from name and
 * operands.
 */
export function evaluate(node: Node, point: number, budget: Budget): C.Complex {
  budget.step();
  switch (node.kind) {
    case "number":
      return C.complex(toNumber(node.value));
    case "symbol":
      if (node.name === "pi") return C.complex(Math.PI);
      if (node.name === "e") return C.complex(Math.E);
      if (node.name === "i") return C.I;
      return node.name === "infinity" ? C.complex(Number.NaN) : pointValue(node.name, point);
    case "sum":
      return node.terms.map((each) => evaluate(each, point, budget)).reduce(C.add);
    case "product":
      return node.factors.map((each) => evaluate(each, point, budget)).reduce(C.multiply);
    case "quotient":
      return C.divide(evaluate(node.top, point, budget), evaluate(node.bottom, point, budget));
    case "power":
      return C.power(evaluate(node.base, point, budget), evaluate(node.exponent, point, budget));
    case "apply":
      return applied(node, point, budget);
    case "based":
      return pointValue(`${node.digits}_${node.base}`, point);
    default:
      return C.complex(Number.NaN);
  }
}

function applied(node: Node & { kind: "apply" }, point: number, budget: Budget): C.Complex {
  const operands = node.operands.map((each) => evaluate(each, point, budget));
  const [a, b] = operands;
  if (a === undefined) return C.complex(Number.NaN);
  if ((node.name === "log" || node.name === "ln") && b !== undefined) return C.divide(C.logarithm(a), C.logarithm(b));
  const known = C.FUNCTIONS[node.name];
  if (known !== undefined && operands.length === 1) return known(a);
  const real = operands.every((each) => each.im === 0);
  if (real && (node.name === "max" || node.name === "min"))
    return C.complex(Math[node.name](...operands.map((each) => each.re)));
  const spelled = operands.map((each) => `${each.re.toPrecision(9)},${each.im.toPrecision(9)}`).join(";");
  return pointValue(`${node.name}(${spelled})`, point);
}

/** Below this an atom's value is noise: sine and its kin lose what their operand holds. */
function noise(node: Node, point: number, budget: Budget): number {
  if (node.kind !== "apply" || !/^(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?$|^ln$|^log$/.test(node.name)) return 0;
  const [operand] = node.operands;
  return operand === undefined ? 0 : Math.min(1, C.size(evaluate(operand, point, budget)));
}

/**
 * Whether a polynomial over atoms is zero at all points where it has a value.
 * @param hasSymbols without free symbols one point says it all.
 */
export function vanishes(p: Polynomial, atoms: readonly Node[], hasSymbols: boolean, budget: Budget): boolean {
  let seen = 0;
  for (let point = 0; point < (hasSymbols ? POINTS : 1); point++) {
    const values = atoms.map((atom) => evaluate(atom, point, budget));
    let sum = C.complex(0);
    let total = 0;
    for (const { coefficient, imaginary, radicand, powers } of p.values()) {
      budget.step();
      const factor = toNumber(coefficient) * Math.sqrt(Number(radicand));
      let value = C.complex(imaginary ? 0 : factor, imaginary ? factor : 0);
      let least = Math.abs(factor);
      for (const [atom, exponent] of powers) {
        const base = values[atom] ?? C.complex(Number.NaN);
        value = C.multiply(value, C.power(base, C.complex(exponent)));
        least *= Math.max(C.size(base), noise(atoms[atom] as Node, point, budget)) ** exponent;
      }
      sum = C.add(sum, value);
      total += Math.max(C.size(value), least);
    }
    if (!Number.isFinite(total) || !C.hasValue(sum)) continue;
    if (C.size(sum) > TOLERANCE * total) return false;
    seen += 1;
  }
  return seen >= (hasSymbols ? POINTS / 3 : 1);
}
