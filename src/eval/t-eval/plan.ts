/** T-Eval's score of a plan (arXiv 2312.14033). Pure. */
import { longestIncreasing, maximumWeightMatching } from "./matching";

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
