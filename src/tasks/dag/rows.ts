/** Rows of graph problems, for sft, RL and evaluation, and the names under which RL and evaluation know them. */
import { CounterRandom, hashText } from "../../base/random";
import { type DagSplit, dagProblem, MOST_OPERATIONS, type OperationRange } from "./problem";
import { type DagKind, dagSolution } from "./solution";

/** Shares of the kinds that are not plain, from 0 to 1 together; the rest is plain. */
export type DagShares = Readonly<Record<Exclude<DagKind, "plain">, number>>;

/** A problem, a solution and what there is to know of them. */
export interface DagRow {
  readonly prompt: string;
  readonly completion: string;
  readonly answer: string;
  readonly operations: number;
  readonly kind: DagKind;
}

/**
 * Row `index`: a function of the arguments alone. Other shares leave the problems as they are, so that two sets differ
 * in their solutions only.
 */
export function dagRow(seed: number, index: number, range: OperationRange, split: DagSplit, shares: DagShares): DagRow {
  const problem = dagProblem(seed, index, range, split);
  // A stream of its own, so that the kind tells nothing about the problem.
  const random = new CounterRandom(~seed ^ hashText("dag kind"), index);
  const draw = random.fraction();
  const kind =
    draw < shares.exploration
      ? "exploration"
      : draw < shares.exploration + shares.exploitation
        ? "exploitation"
        : "plain";
  return {
    prompt: problem.question,
    completion: dagSolution(problem, kind, random),
    answer: problem.answer,
    operations: problem.operations.length,
    kind,
  };
}

/** Ranges that have a name; `dag-2-4` is understood for any range. */
const NAMED: Readonly<Record<string, OperationRange>> = {
  dag: { least: 2, most: 4 },
  /** Out of distribution: longer than `dag`, and short enough for the positions of the shipped model. */
  "dag-long": { least: 5, most: 6 },
};

/** The range of operations that a data set's name means; undefined when it is no name of graph problems. */
export function dagRange(name: string): OperationRange | undefined {
  return Object.entries(NAMED).find(([key]) => key === name)?.[1] ?? parseRange(/^dag-(.*)$/.exec(name)?.[1] ?? "");
}

/** `2-4` or `3`; undefined for a text that is no range of operations. */
export function parseRange(text: string): OperationRange | undefined {
  const match = /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const [least, most] = [Number(match[1]), Number(match[2] ?? match[1])];
  return least >= 1 && least <= most && most <= MOST_OPERATIONS ? { least, most } : undefined;
}
