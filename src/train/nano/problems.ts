import { evaluateExpression } from "./expression";
import { CounterRandom, hashText } from "./random";

/** `train` and `eval` share no expression: the expression's hash decides which of the two it belongs to. */
export type NanoSplit = "train" | "eval";

export interface NanoProblem {
  /** For example `(31-7)*8`. */
  readonly expression: string;
  /** Exact integer, in decimal. */
  readonly answer: string;
}

/** A row of a reinforcement-learning data set. */
export interface NanoRow {
  /** The question, without the prompt template. */
  readonly prompt: string;
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
 * Arithmetic problems with operands 2..99. A small model that answers at once gets the easy sums right (16%) and little else, because most of
 * the others need a product of two-digit numbers.
 * @returns problem i depends on (seed, split, i) only, so a longer list starts with the shorter one.
 */
export function nanoProblems(seed: number, count: number, split: NanoSplit): NanoProblem[] {
  return Array.from({ length: count }, (_, index) => nanoProblem(seed, index, split));
}

/** Problem `index` of {@link nanoProblems}. */
export function nanoProblem(seed: number, index: number, split: NanoSplit): NanoProblem {
  const random = new CounterRandom(seed ^ hashText(split), index);
  for (;;) {
    const expression = randomExpression(random);
    if (splitOf(expression) === split) return { expression, answer: String(evaluateExpression(expression)) };
  }
}

/** Problems of the train split as rows {prompt: question, answer}. */
export function nanoDataset(seed: number, count: number, split: NanoSplit = "train"): NanoRow[] {
  return nanoProblems(seed, count, split).map(({ expression, answer }) => ({ prompt: expression, answer }));
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
