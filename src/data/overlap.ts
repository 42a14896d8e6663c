/** Problems that a training set and an evaluation set have in common. */

/** Words of a run that two problems must share to count as overlapping, as in the GPT-3 paper (arXiv 2005.14165, appendix C). */
export const DEFAULT_NGRAM_WORDS = 13;
const EXAMPLES = 3;

/** What two sets share. Counts are of distinct problems of the evaluation set. */
export interface Overlap {
  /** Distinct problems of the evaluation set. */
  readonly problems: number;
  /** Those that the training set has too, compared on letters and digits alone. */
  readonly equal: number;
  /** Those that share a run of words with a training problem without being equal to one. */
  readonly partial: number;
  /** A few of them, equal ones first. */
  readonly examples: readonly OverlapExample[];
}

export interface OverlapExample {
  readonly kind: "equal" | "partial";
  readonly evalProblem: string;
  readonly trainProblem: string;
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
  const partial = new Map<string, string>();
  if (ngramWords > 0) {
    // The evaluation set is the smaller one: its runs are indexed, and the training set is passed by.
    const owners = new Map<string, string[]>();
    for (const [key, problem] of byKey) {
      if (equal.has(key)) continue;
      for (const run of new Set(wordRuns(problem, ngramWords))) {
        const keys = owners.get(run);
        if (keys === undefined) owners.set(run, [key]);
        else keys.push(key);
      }
    }
    for (const problem of train)
      for (const run of wordRuns(problem, ngramWords))
        for (const key of owners.get(run) ?? []) if (!partial.has(key)) partial.set(key, problem);
  }
  const examples = (kind: OverlapExample["kind"], found: ReadonlyMap<string, string>) =>
    [...found].slice(0, EXAMPLES).map(([key, trainProblem]) => ({
      kind,
      evalProblem: byKey.get(key) ?? "",
      trainProblem,
    }));
  return {
    problems: byKey.size,
    equal: equal.size,
    partial: partial.size,
    examples: [...examples("equal", equal), ...examples("partial", partial)],
  };
}

function* wordRuns(problem: string, length: number): Generator<string> {
  const words = problem.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  for (let first = 0; first + length <= words.length; first++) yield words.slice(first, first + length).join(" ");
}
