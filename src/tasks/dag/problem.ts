/**
 * Problems on directed acyclic graphs of quantities, for Behavior Injection before RL (arXiv 2505.18917). A quantity is
 * a leaf with a value or an operation on two others; the statements are in no order, so that whoever solves one must
 * find which quantity can be worked out next. The notation is ours, short enough for the shipped small model, one token
 * to a character: `k=f*a;a=3;f=a+b;b=7?k` asks for k, which is (3+7)*3.
 */
import { at } from "../../base/must";
import { CounterRandom, hashText } from "../../base/random";

/**
 * `train` and `eval` share no problem, also not under other names or in another order: the expression's hash decides
 * which of the two it belongs to.
 */
export type DagSplit = "train" | "eval";

/** How many operations a problem has, both ends included. */
export interface OperationRange {
  readonly least: number;
  readonly most: number;
}

/** A quantity that is given. */
export interface Leaf {
  readonly name: string;
  /** 1 to 9. */
  readonly value: number;
}

/** A quantity that is to be worked out. */
export interface Operation {
  readonly name: string;
  readonly operator: "+" | "-" | "*";
  readonly left: string;
  readonly right: string;
  /** 0 to {@link LARGEST_VALUE}. */
  readonly value: number;
}

export interface DagProblem {
  readonly question: string;
  /** Value of the quantity asked for, in decimal. */
  readonly answer: string;
  /** In the order of their statements. */
  readonly leaves: readonly Leaf[];
  /** In the order of their statements. */
  readonly operations: readonly Operation[];
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
/** Enough for six operations. Few, so that a small model meets each often; larger graphs go on in the alphabet. */
const USUAL_LETTERS = 13;
/** n operations have at most n + 1 leaves. */
export const MOST_OPERATIONS = 12;
const LARGEST_LEAF = 9;
export const LARGEST_VALUE = 99;
/** One problem in 16 belongs to the eval split. */
const EVAL_SHARE = 16;
/** Percentage of operands that are leaves not used before, where any other quantity would do as well. */
const FRESH_PERCENT = 60;

/** Problem `index` of (seed, range, split): a function of these alone. Every quantity is needed for the answer. */
export function dagProblem(seed: number, index: number, range: OperationRange, split: DagSplit): DagProblem {
  const random = new CounterRandom(seed ^ hashText(`dag ${split}`), index);
  for (;;) {
    const graph = randomGraph(random, random.integer(range.least, range.most));
    if (splitOf(at(graph, graph.length - 1)) === split) return stated(graph, random);
  }
}

/** A quantity of a graph; a leaf has no parents. */
interface Node {
  readonly value: number;
  readonly made?: { readonly operator: Operation["operator"]; readonly left: number; readonly right: number };
  /**
   * The whole expression with the operands of + and * sorted: equal for problems that differ in names or order alone.
   */
  readonly expression: string;
}

/** @returns the split that the problem asking for `node` belongs to */
function splitOf(node: Node): DagSplit {
  return hashText(node.expression) % EVAL_SHARE === 0 ? "eval" : "train";
}

/** Nodes in an order in which each stands behind its parents, the one asked for last. */
function randomGraph(random: CounterRandom, operations: number): Node[] {
  const nodes: Node[] = [];
  // Results that nothing uses yet: each operation takes at most two and adds one, and in the end one is left.
  let open: number[] = [];
  const anyNode = () => {
    if (nodes.length === 0 || random.integer(0, 99) < FRESH_PERCENT) {
      const value = random.integer(1, LARGEST_LEAF);
      nodes.push({ value, expression: String(value) });
      return nodes.length - 1;
    }
    return random.integer(0, nodes.length - 1);
  };
  for (let done = 1; done <= operations; done++) {
    const least = Math.max(0, open.length + done - operations);
    const taken = random.integer(least, Math.min(2, open.length));
    const operands: number[] = [];
    while (operands.length < 2) {
      const node = operands.length < taken ? at(open, random.integer(0, open.length - 1)) : anyNode();
      if (operands.includes(node)) continue;
      operands.push(node);
      open = open.filter((other) => other !== node);
    }
    open.push(nodes.push(operationOn(nodes, at(operands, 0), at(operands, 1), random)) - 1);
  }
  return nodes;
}

/** An operation on two nodes, in either order, whose result is in 0..99. */
function operationOn(nodes: readonly Node[], first: number, second: number, random: CounterRandom): Node {
  const [left, right] = random.integer(0, 1) === 0 ? [first, second] : [second, first];
  const [a, b] = [at(nodes, left).value, at(nodes, right).value];
  // One of the two differences is never negative, so there is always a choice.
  const difference = a >= b ? { left, right, result: a - b } : { left: right, right: left, result: b - a };
  const choices = [{ operator: "-" as const, ...difference }] as [Choice, ...Choice[]];
  if (a + b <= LARGEST_VALUE) choices.push({ operator: "+", left, right, result: a + b });
  if (a * b <= LARGEST_VALUE) choices.push({ operator: "*", left, right, result: a * b });
  const { operator, result, ...parents } = random.pick(choices);
  const texts = [parents.left, parents.right].map((node) => at(nodes, node).expression);
  if (operator !== "-") texts.sort();
  return { value: result, made: { operator, ...parents }, expression: `(${texts.join(operator)})` };
}

interface Choice {
  readonly operator: Operation["operator"];
  readonly left: number;
  readonly right: number;
  readonly result: number;
}

/** Gives the nodes letters and states them in a random order. */
function stated(nodes: readonly Node[], random: CounterRandom): DagProblem {
  const letters = shuffled([...LETTERS.slice(0, Math.max(nodes.length, USUAL_LETTERS))], random);
  const name = (node: number) => at(letters, node);
  const leaves: Leaf[] = [];
  const operations: Operation[] = [];
  const statements = shuffled([...nodes.entries()], random).map(([node, { value, made }]) => {
    if (made === undefined) {
      leaves.push({ name: name(node), value });
      return `${name(node)}=${value}`;
    }
    const operation = {
      name: name(node),
      operator: made.operator,
      left: name(made.left),
      right: name(made.right),
      value,
    };
    operations.push(operation);
    return formula(operation);
  });
  const asked = nodes.length - 1;
  return {
    question: `${statements.join(";")}?${name(asked)}`,
    answer: String(nodes[asked]?.value),
    leaves,
    operations,
  };
}

/** `f=a+b` */
export function formula({ name, left, operator, right }: Operation): string {
  return `${name}=${left}${operator}${right}`;
}

/** Fisher and Yates. */
function shuffled<T>(items: T[], random: CounterRandom): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    const [a, b] = [items[i], items[j]];
    if (a !== undefined && b !== undefined) [items[i], items[j]] = [b, a];
  }
  return items;
}
