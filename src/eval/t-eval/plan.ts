/**
 * T-Eval's score of a plan (arXiv 2312.14033): a maximum-weight matching of its actions with those of the right plan.
 * Pure.
 */
import { at } from "../../base/must";

export interface PlanAction {
  readonly id: number;
  readonly name: string;
  readonly args: string;
}

export interface PlanFigures {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Similarity of two texts: cosine of their sentence embeddings, 0 where it is negative. */
export type Similarity = (left: string, right: string) => number;

const NAME_WEIGHT = 0.75;
const THRESHOLD = 0.8;

/**
 * Actions whose similarity is above 0.8 are matched; right are those on the longest stretch that keeps the order of the
 * right plan. A last FinishAction of either plan does not count.
 */
export function planFigures(
  predicted: readonly PlanAction[],
  gold: readonly PlanAction[],
  similarity: Similarity,
): PlanFigures {
  const [left, right] = [actionsOf(predicted), actionsOf(gold)];
  if (left.length === 0 || right.length === 0) return { precision: 0, recall: 0, f1: 0 };
  const weights = left.map((action) =>
    right.map((other) => {
      const weight =
        NAME_WEIGHT * similarity(action.name, other.name) + (1 - NAME_WEIGHT) * similarity(action.args, other.args);
      return weight > THRESHOLD ? weight : 0;
    }),
  );
  const correct = longestIncreasing(maximumWeightMatching(weights));
  const [precision, recall] = [correct / left.length, correct / right.length];
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) };
}

function actionsOf(plan: readonly PlanAction[]): readonly PlanAction[] {
  const sorted = plan.toSorted((a, b) => a.id - b.id);
  return sorted.at(-1)?.name === "FinishAction" ? sorted.slice(0, -1) : sorted;
}

/**
 * Hungarian algorithm over [rows][columns] of weights, none below 0; a pair of weight 0 is no edge.
 * @returns for each row its column, or -1
 */
export function maximumWeightMatching(weights: readonly (readonly number[])[]): number[] {
  const size = Math.max(weights.length, ...weights.map((row) => row.length), 0);
  // Rows and columns beyond the weights make the matrix square; they have no edge.
  const cost = (row: number, column: number) => -(weights[row - 1]?.[column - 1] ?? 0);
  const zeros = () => new Float64Array(size + 1);
  const [rowPotential, columnPotential] = [zeros(), zeros()];
  const rowOf = new Int32Array(size + 1);
  for (let row = 1; row <= size; row++) {
    const least = zeros().fill(Number.POSITIVE_INFINITY);
    const before = new Int32Array(size + 1);
    const visited = new Uint8Array(size + 1);
    rowOf[0] = row;
    let column = 0;
    do {
      visited[column] = 1;
      const from = at(rowOf, column);
      let step = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let other = 1; other <= size; other++) {
        if (visited[other] === 1) continue;
        const reduced = cost(from, other) - at(rowPotential, from) - at(columnPotential, other);
        if (reduced < at(least, other)) {
          least[other] = reduced;
          before[other] = column;
        }
        if (at(least, other) < step) {
          step = at(least, other);
          next = other;
        }
      }
      for (let other = 0; other <= size; other++)
        if (visited[other] === 1) {
          const owner = at(rowOf, other);
          rowPotential[owner] = at(rowPotential, owner) + step;
          columnPotential[other] = at(columnPotential, other) - step;
        } else least[other] = at(least, other) - step;
      column = next;
    } while (rowOf[column] !== 0);
    while (column !== 0) {
      const previous = at(before, column);
      rowOf[column] = at(rowOf, previous);
      column = previous;
    }
  }
  return weights.map((row, index) => {
    const column = rowOf.indexOf(index + 1, 1) - 1;
    // A column beyond the row is no edge.
    return (row[column] ?? 0) > 0 ? column : -1;
  });
}

/** Length of the longest increasing subsequence; an entry of -1 follows nothing, and alone counts 1. */
export function longestIncreasing(values: readonly number[]): number {
  const lengths: number[] = [];
  values.forEach((value, index) => {
    const before = lengths.filter((_, j) => j < index && value >= 0 && at(values, j) >= 0 && at(values, j) < value);
    lengths.push(1 + Math.max(0, ...before));
  });
  return Math.max(0, ...lengths);
}
