/**
 * Solutions of graph problems as text, plain or with one of the two behaviors that Behavior Injection adds to the
 * answers that are learned before RL (arXiv 2505.18917; words and notation are ours).
 */
import type { CounterRandom } from "../../base/random";
import { type DagProblem, formula, type Operation } from "./problem";

/**
 * A result is stated as the question states a leaf, so that there is one way to look a value up.
 *
 * - `plain`: `f=a+b=3+7;f=10;k=f*a=10*3;k=30;\boxed{30}`, every operation when its parents are known, the one stated
 *   first before others.
 * - `exploration`: the same with attempts at quantities that are not within reach yet, which end by naming what is
 *   missing: `k=f*a=f?;f=a+b=3+7;f=10;...`.
 * - `exploitation`: before each step the names of all that is known, from which the next can be chosen:
 *   `[ab]f=a+b=3+7;f=10;[abf]k=...`.
 */
export const dagKinds = ["plain", "exploration", "exploitation"] as const;

export type DagKind = (typeof dagKinds)[number];

/**
 * Percentage of steps before which a solution of kind `exploration` makes an attempt; the first step has one always.
 */
const ATTEMPT_PERCENT = 50;

/**
 * @param random decides which attempts an exploration makes
 * @returns text that ends in \boxed{answer}. A problem of one operation leaves nothing to explore.
 */
export function dagSolution(problem: DagProblem, kind: DagKind, random: CounterRandom): string {
  const known = new Map(problem.leaves.map(({ name, value }) => [name, value]));
  const open = [...problem.operations];
  let text = "";
  while (open.length > 0) {
    const isUnlocked = ({ left, right }: Operation) => known.has(left) && known.has(right);
    const locked = open.filter((operation) => !isUnlocked(operation));
    const [attempted, ...others] = locked;
    if (kind === "exploration" && attempted !== undefined && (text === "" || random.integer(0, 99) < ATTEMPT_PERCENT))
      text += attempt(random.pick([attempted, ...others]), known);
    if (kind === "exploitation") text += `[${[...known.keys()].join("")}]`;
    const [next] = open.splice(open.findIndex(isUnlocked), 1);
    if (next === undefined) throw new RangeError(`${problem.question} has a circle`);
    text += `${formula(next)}=${known.get(next.left)}${next.operator}${known.get(next.right)};${next.name}=${next.value};`;
    known.set(next.name, next.value);
  }
  return `${text}\\boxed{${problem.answer}}`;
}

/** `k=f*a=f?;`: begins like a step and ends with the names of what it lacks. */
function attempt(operation: Operation, known: ReadonlyMap<string, number>): string {
  const missing = [operation.left, operation.right].filter((name) => !known.has(name));
  return `${formula(operation)}=${missing.map((name) => `${name}?`).join("")};`;
}
