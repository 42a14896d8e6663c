/** Problems that a training set and an evaluation set have in common. */
import { must } from "../base/must";

/**
 * Words of a run that two problems must share to count as overlapping, as in the GPT-3 paper (arXiv 2005.14165,
 * appendix C).
 */
export const DEFAULT_NGRAM_WORDS = 13;
/**
 * A run of words that more training problems than this have is a set phrase ("where m and n are relatively prime
 * positive integers"), as in that paper.
 */
const SET_PHRASE = 10;
/**
 * Share of a problem's words that must lie in runs that the training set has: less is a common beginning or end, not a
 * common problem.
 */
const COVERED = 0.5;
const EXAMPLES = 3;

/** What two sets share. Counts are of distinct problems of the evaluation set. */
export interface Overlap {
  /** Distinct problems of the evaluation set. */
  readonly problems: number;
  /** Those that the training set has too, compared on letters and digits alone. */
  readonly equal: number;
  /**
   * Those without an equal one of which at least half the words lie in runs that the training set has too, set phrases
   * aside.
   */
  readonly partial: number;
  /** A few of them, equal ones first. */
  readonly examples: readonly OverlapExample[];
}

export interface OverlapExample {
  readonly kind: "equal" | "partial";
  readonly evalProblem: string;
  readonly trainProblem: string;
  /** The words in a row that both have; absent when all are equal. */
  readonly sharedWords?: string;
}

/** A problem's letters and digits in lower case: markup, spacing and punctuation make no difference. */
export function problemKey(problem: string): string {
  return problem.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

/** How many problems repeat an earlier one of the same set. */
export function countRepeats(problems: readonly string[]): number {
  return problems.length - new Set(problems.map(problemKey)).size;
}

/**
 * What two sets have in common.
 * @param ngramWords length of the runs of words; 0 to look for equal problems only
 */
export function findOverlap(train: readonly string[], evaluation: readonly string[], ngramWords: number): Overlap {
  const byKey = new Map<string, string>();
  for (const problem of evaluation) {
    const key = problemKey(problem);
    if (key !== "" && !byKey.has(key)) byKey.set(key, problem);
  }
  const equal = new Map<string, string>();
  for (const problem of train) {
    const key = problemKey(problem);
    if (byKey.has(key) && !equal.has(key)) equal.set(key, problem);
  }
  const partial = ngramWords > 0 ? sharedRuns(train, byKey, equal, ngramWords) : new Map<string, SharedRun>();
  return {
    problems: byKey.size,
    equal: equal.size,
    partial: partial.size,
    examples: [
      ...[...equal].slice(0, EXAMPLES).map(([key, trainProblem]) => ({
        kind: "equal" as const,
        evalProblem: must(byKey.get(key), "the problem of a key"),
        trainProblem,
      })),
      ...[...partial].slice(0, EXAMPLES).map(([key, { trainProblem, words }]) => ({
        kind: "partial" as const,
        evalProblem: must(byKey.get(key), "the problem of a key"),
        trainProblem,
        sharedWords: words,
      })),
    ],
  };
}

interface SharedRun {
  readonly trainProblem: string;
  readonly words: string;
}

/** Evaluation problems without an equal one whose words are covered by shared runs, each with the first such run. */
function sharedRuns(
  train: readonly string[],
  evaluation: ReadonlyMap<string, string>,
  equal: ReadonlyMap<string, string>,
  length: number,
): Map<string, SharedRun> {
  // The evaluation set is the smaller one: its runs are indexed, and the training set is passed by.
  const runs = new Map<string, { trainProblem: string; count: number }>();
  for (const [key, problem] of evaluation)
    if (!equal.has(key)) for (const run of wordRuns(problem, length)) runs.set(run, { trainProblem: "", count: 0 });
  const seen = new Set<string>();
  for (const problem of train) {
    const key = problemKey(problem);
    // A problem that the training set repeats must not make its words a set phrase.
    if (seen.has(key)) continue;
    seen.add(key);
    for (const run of new Set(wordRuns(problem, length))) {
      const found = runs.get(run);
      if (found === undefined) continue;
      if (found.count++ === 0) found.trainProblem = problem;
    }
  }
  const partial = new Map<string, SharedRun>();
  for (const [key, problem] of evaluation) {
    if (equal.has(key)) continue;
    const covered = new Set<number>();
    let first: SharedRun | undefined;
    for (const [at, words] of [...wordRuns(problem, length)].entries()) {
      const { trainProblem, count } = must(runs.get(words), "a run of words");
      if (count === 0 || count > SET_PHRASE) continue;
      first ??= { trainProblem, words };
      for (let word = at; word < at + length; word++) covered.add(word);
    }
    if (first !== undefined && covered.size >= COVERED * wordsOf(problem).length) partial.set(key, first);
  }
  return partial;
}

function* wordRuns(problem: string, length: number): Generator<string> {
  const words = wordsOf(problem);
  for (let first = 0; first + length <= words.length; first++) yield words.slice(first, first + length).join(" ");
}

function wordsOf(problem: string): readonly string[] {
  return problem.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
