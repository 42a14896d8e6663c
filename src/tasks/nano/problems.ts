import { CounterRandom, hashText } from "../../base/random";
import { evaluateExpression } from "./expression";

/** `train` and `eval` share no expression: the expression's hash decides which of the two it belongs to. */
export type NanoSplit = "train" | "eval";

export interface NanoProblem {
  /** For example `(31-7)*8`. */
  readonly expression: string;
  /** Exact integer, in decimal. */
  readonly answer: string;
}

/** One expression in 16 belongs to the eval split. */
const EVAL_SHARE = 16;
/** Shares of the difficulty levels in percent; the rest has three operands. */
const EASY_PERCENT = 16;
const PAIR_PERCENT = 14;

export function splitOf(expression: string): NanoSplit {
  return hashText(expression) % EVAL_SHARE === 0 ? "eval" : "train";
}

/**
 * Problem `index` of (seed, split): arithmetic with operands 2..99. A small model that answers at once gets the easy
 * sums right (16%) and little else, because most of the others need a product of two-digit numbers.
 */
export function nanoProblem(seed: number, index: number, split: NanoSplit): NanoProblem {
  return problemOf(new CounterRandom(seed ^ hashText(split), index), randomExpression, split);
}

function problemOf(
  random: CounterRandom,
  expressionOf: (random: CounterRandom) => string,
  split: NanoSplit,
): NanoProblem {
  for (;;) {
    const expression = expressionOf(random);
    if (splitOf(expression) === split) return { expression, answer: String(evaluateExpression(expression)) };
  }
}

/** Benchmarks of held-out arithmetic, by name. None of their expressions can occur in training. */
export const nanoBenchmarks: Readonly<Record<string, (random: CounterRandom) => string>> = {
  /** As in training, from the eval split. */
  nano: randomExpression,
  /** Products alone, of two or three numbers, from the eval split: what cannot be guessed at once. */
  "nano-mul": (random) => join(random, random.integer(2, 3), ["*"], operand),
  /** Four to six operands: training has at most three. */
  "nano-long": (random) => join(random, random.integer(4, 6), ["+", "-", "*"], operand),
  /** Operands of three digits: training ends at 99. */
  "nano-digits": (random) => join(random, random.integer(2, 3), ["+", "-", "*"], (draw) => draw.integer(100, 999)),
};

/** Problem `index` of a benchmark of {@link nanoBenchmarks}; undefined when there is none of that name. */
export function nanoBenchmarkProblem(name: string, index: number): NanoProblem | undefined {
  const expressionOf = Object.entries(nanoBenchmarks).find(([key]) => key === name)?.[1];
  if (expressionOf === undefined) return undefined;
  // The first benchmark is the held-out split that training measures itself on.
  return name === "nano"
    ? nanoProblem(0, index, "eval")
    : problemOf(new CounterRandom(hashText(name), index), expressionOf, "eval");
}

function join(
  random: CounterRandom,
  count: number,
  operators: readonly [string, ...string[]],
  operandOf: (random: CounterRandom) => number,
): string {
  let text = String(operandOf(random));
  for (let i = 1; i < count; i++) text += `${random.pick(operators)}${operandOf(random)}`;
  return text;
}

function randomExpression(random: CounterRandom): string {
  const level = random.integer(0, 99);
  if (level < EASY_PERCENT) return easy(random);
  if (level < EASY_PERCENT + PAIR_PERCENT) return pair(random);
  return triple(random);
}

function operand(random: CounterRandom): number {
  return random.integer(2, 99);
}

/** A sum or difference with a one-digit second operand, never negative. */
function easy(random: CounterRandom): string {
  const small = random.integer(2, 9);
  return random.integer(0, 2) === 0 ? `${small + random.integer(0, 20)}-${small}` : `${random.integer(2, 29)}+${small}`;
}

function pair(random: CounterRandom): string {
  return `${operand(random)}${random.pick(["*", "*", "*", "+", "-"])}${operand(random)}`;
}

/** Three operands, nine in ten with a product, four in ten with parentheses. */
function triple(random: CounterRandom): string {
  const [a, b, c] = [operand(random), operand(random), operand(random)];
  const term = random.pick(["+", "-"]);
  if (random.integer(0, 9) === 0) return `${a}${term}${b}${random.pick(["+", "-"])}${c}`;
  const productFirst = random.integer(0, 1) === 0;
  if (random.integer(0, 8) < 4) return productFirst ? `${a}*(${b}${term}${c})` : `(${a}${term}${b})*${c}`;
  const other = random.pick(["+", "-", "+", "-", "*"]);
  return productFirst ? `${a}*${b}${other}${c}` : `${a}${other}${b}*${c}`;
}
