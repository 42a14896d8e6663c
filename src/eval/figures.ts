/** The figures of one benchmark from its samples. */
import { at } from "../base/must";
import { type Interval, mean } from "../base/statistics";
import type { Outcome } from "./answers";
import { intervalOverSamples, intervalsOverQuestions } from "./bootstrap";
import { majorityIsRight, type PassRates, passAtK, passRates } from "./estimators";

/** A share in [0, 1] and its 95% intervals. */
export interface Estimate {
  readonly value: number;
  /** Over questions: null for fewer than two. */
  readonly interval: Interval | null;
}

/** What K samples of each of some questions say. */
export interface Figures {
  readonly questions: number;
  /** K. */
  readonly generations: number;
  /** Right answers; avg@K is this over questions x K. */
  readonly right: number;
  readonly average: Estimate & {
    /** Over samples with the questions fixed: null for K of 1. */
    readonly sampleInterval: Interval | null;
  };
  /** pass@k for each power of two below K, and K. */
  readonly pass: readonly (Estimate & { readonly k: number })[];
  /** maj@K; null for K of 1. */
  readonly majority: Estimate | null;
  /** Null for K of 1. */
  readonly passRates: PassRates | null;
  /** Share of answers that hold a Python block, run or not. */
  readonly codeRatio: Estimate;
  readonly codeExecuted: number;
  readonly callsPerAnswer: number;
  /** Share of Python calls that failed; null without calls. */
  readonly failedCalls: number | null;
  readonly cutByLength: number;
  /** Mean per answer. */
  readonly modelTokens: number;
}

/**
 * @param groups per question, its K outcomes
 * @param seed of the bootstrap
 * @returns null when there is no question
 */
export function figuresOf(groups: readonly (readonly Outcome[])[], seed: number): Figures | null {
  const generations = groups[0]?.length ?? 0;
  if (generations === 0) return null;
  const scores = groups.map((group) => group.map(({ correct }) => Number(correct)));
  const right = scores.map((group) => group.reduce((sum, score) => sum + score, 0));
  const ks = passSizes(generations);
  const series = [
    right.map((count) => count / generations),
    groups.map((group) => mean(group.map(({ hasCode }) => Number(hasCode)))),
    groups.map((group) =>
      Number(majorityIsRight(group.map(({ prediction, correct }) => ({ answer: prediction, correct })))),
    ),
    ...ks.map((k) => right.map((count) => passAtK(generations, count, k))),
  ];
  const intervals = intervalsOverQuestions(series, seed);
  const estimate = (index: number): Estimate => ({
    value: mean(at(series, index)),
    interval: intervals[index] ?? null,
  });
  const all = groups.flat();
  const sum = (of: (outcome: Outcome) => number) => all.reduce((total, outcome) => total + of(outcome), 0);
  const calls = sum(({ calls: count }) => count);
  return {
    questions: groups.length,
    generations,
    right: right.reduce((total, count) => total + count, 0),
    average: { ...estimate(0), sampleInterval: intervalOverSamples(scores, seed) },
    pass: ks.map((k, index) => ({ k, ...estimate(3 + index) })),
    majority: generations === 1 ? null : estimate(2),
    passRates: generations === 1 ? null : passRates(right, generations),
    codeRatio: estimate(1),
    codeExecuted: sum(({ calls: count }) => Number(count > 0)) / all.length,
    callsPerAnswer: calls / all.length,
    failedCalls: calls === 0 ? null : sum(({ failedCalls }) => failedCalls) / calls,
    cutByLength: sum(({ cut }) => Number(cut)) / all.length,
    modelTokens: sum(({ modelTokens }) => modelTokens) / all.length,
  };
}

function passSizes(generations: number): number[] {
  const sizes: number[] = [];
  for (let k = 2; k < generations; k *= 2) sizes.push(k);
  return generations > 1 ? [...sizes, generations] : sizes;
}
