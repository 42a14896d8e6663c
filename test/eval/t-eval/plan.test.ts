import { expect, test } from "vitest";
import { longestIncreasing, maximumWeightMatching, type PlanAction, planFigures } from "../../../src/eval/t-eval/plan";
import { Numbers } from "../../support/reference/models";

/** Largest sum over all ways to match. */
function best(weights: readonly (readonly number[])[], row = 0, used: readonly number[] = []): number {
  if (row === weights.length) return 0;
  const free = (weights[row] ?? []).map((weight, column) =>
    used.includes(column) ? 0 : weight + best(weights, row + 1, [...used, column]),
  );
  return Math.max(best(weights, row + 1, used), ...free);
}

test("matching: as heavy as the best of all, no column twice, no pair without an edge", () => {
  const numbers = new Numbers(3);
  for (let round = 0; round < 200; round++) {
    const [rows, columns] = [1 + numbers.below(5), 1 + numbers.below(5)];
    const weights = Array.from({ length: rows }, () =>
      Array.from({ length: columns }, () => (numbers.uniform() < 0.5 ? 0 : numbers.uniform())),
    );
    const matched = maximumWeightMatching(weights);
    const used = matched.filter((column) => column >= 0);
    expect(new Set(used).size).toBe(used.length);
    const sum = matched.reduce((total, column, row) => total + (weights[row]?.[column] ?? 0), 0);
    expect(sum).toBeCloseTo(best(weights), 10);
  }
});

test.each([
  [[2, 0, 1], 2],
  [[0, -1, 1], 2],
  [[-1, -1], 1],
  [[], 0],
])("longest increasing of %j is %i", (values, length) => expect(longestIncreasing(values)).toBe(length));

test("plans counted by hand", () => {
  const plan = (...names: string[]): PlanAction[] => names.map((name, id) => ({ id, name, args: name }));
  const same = (left: string, right: string) => Number(left === right);
  expect(planFigures(plan("a", "b", "FinishAction"), plan("a", "b"), same)).toEqual({ precision: 1, recall: 1, f1: 1 });
  const { precision, recall, f1 } = planFigures(plan("b", "a", "x"), plan("a", "b"), same);
  expect([precision, recall]).toEqual([1 / 3, 1 / 2]);
  expect(f1).toBeCloseTo(0.4, 12);
  expect(planFigures([], plan("a"), same).f1).toBe(0);
});
