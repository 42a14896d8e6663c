/**
 * Which questions a rollout batch gets: the next ones of the training sequence, or the best of a larger pool (MoPPS),
 * as far as the curriculum has come.
 */
import { UserError } from "../base/errors";
import { at } from "../base/must";
import { CounterRandom, longHash } from "../base/random";
import type { TrainOptions } from "../options/train";
import { type BetaPosterior, observed, PRIOR, selectPrompts } from "../rl/prompt-selection";
import type { SelectionState } from "../session/checkpoint";
import type { QuestionRow, QuestionSource } from "../session/questions";

/** Keeps the draws of the selection apart from everything else that the seed feeds. */
const SELECTION_KEY = 0x5e1ec7;
/** Share of earlier outcomes that a posterior keeps; the paper's value. */
const RETENTION = 0.5;
const TARGET = 0.5;
/** Share of the rows, easiest first, that a curriculum begins with. */
const FIRST_SHARE = 0.2;
const MOST_PASSED_OVER = 1e6;

type SelectionOptions = Pick<
  TrainOptions,
  "seed" | "promptSelection" | "promptSelectionPool" | "curriculumColumn" | "curriculumSteps"
>;

export class QuestionSelection {
  #next: number;
  readonly #posteriors: Map<string, BetaPosterior>;
  readonly #source: QuestionSource;
  readonly #options: SelectionOptions;
  /** Difficulty below which a share of the rows lies; undefined without a curriculum. */
  readonly #hardest: ((share: number) => number) | undefined;
  readonly #accepts: (row: QuestionRow, step: number) => boolean;

  /**
   * @param accepts a curriculum from outside: whether a question may come at a step
   * @throws UserError when the curriculum's column is missing or holds no numbers
   */
  constructor(
    source: QuestionSource,
    options: SelectionOptions,
    state: SelectionState,
    accepts: (row: QuestionRow, step: number) => boolean = () => true,
  ) {
    this.#source = source;
    this.#options = options;
    this.#next = state.next_question;
    this.#posteriors = new Map(
      Object.entries(state.posteriors ?? {}).map(([key, [alpha, beta]]) => [key, { alpha, beta }]),
    );
    this.#hardest = options.curriculumColumn === null ? undefined : quantiles(source, options.curriculumColumn);
    this.#accepts = accepts;
  }

  /** The next `count` questions for a step. @param round distinguishes several calls for one step */
  take(step: number, count: number, round: number): QuestionRow[] {
    const { promptSelection, promptSelectionPool, seed } = this.#options;
    if (promptSelection === "none") return this.#eligible(step, count);
    const pool = this.#eligible(step, Math.ceil(count * promptSelectionPool));
    const random = new CounterRandom(seed ^ SELECTION_KEY, step * 1024 + round);
    const posteriors = pool.map((row) => this.#posteriors.get(keyOf(row)) ?? PRIOR);
    const chosen = new Set(selectPrompts(posteriors, count, TARGET, () => random.fraction()));
    return pool.filter((_, index) => chosen.has(index));
  }

  /** Learns from a question's answers. */
  observe(row: QuestionRow, right: number, answers: number): void {
    if (this.#options.promptSelection === "none") return;
    const key = keyOf(row);
    this.#posteriors.set(key, observed(this.#posteriors.get(key) ?? PRIOR, right, answers, RETENTION));
  }

  get state(): SelectionState {
    const posteriors = Object.fromEntries(
      [...this.#posteriors]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, { alpha, beta }]): [string, [number, number]] => [key, [alpha, beta]]),
    );
    return { next_question: this.#next, ...(this.#options.promptSelection === "none" ? {} : { posteriors }) };
  }

  /**
   * Questions that the curriculum does not let through yet are passed over; they come again in the next pass over the
   * data.
   */
  #eligible(step: number, count: number): QuestionRow[] {
    const { curriculumColumn, curriculumSteps } = this.#options;
    const share = Math.min(1, FIRST_SHARE + ((1 - FIRST_SHARE) * (step - 1)) / Math.max(1, curriculumSteps));
    const hardest = this.#hardest?.(share) ?? Number.POSITIVE_INFINITY;
    const rows: QuestionRow[] = [];
    // Two passes hold every row, however the second is shuffled; without an end, this many are enough to give up.
    const most = Math.min(2 * this.#source.passLength, MOST_PASSED_OVER);
    let passedOver = 0;
    while (rows.length < count) {
      if (passedOver > most)
        throw new UserError(`step ${step}: the curriculum lets no question of ${this.#source.name} through`);
      const row = this.#source.train(this.#next++);
      const isEasy = curriculumColumn === null || difficultyOf(row, curriculumColumn) <= hardest;
      const comes = isEasy && this.#accepts(row, step);
      if (comes) rows.push(row);
      passedOver = comes ? 0 : passedOver + 1;
    }
    return rows;
  }
}

/** 64 bits: of a hundred thousand prompts, two in 32 bits are the same more often than not. */
function keyOf({ prompt }: QuestionRow): string {
  return longHash(prompt);
}

function difficultyOf(row: QuestionRow, column: string): number {
  const value = Number(row.columns?.[column]);
  if (Number.isFinite(value) && row.columns?.[column] !== "") return value;
  throw new UserError(
    `--curriculum-column ${column}: is no number in the question ${JSON.stringify(row.prompt.slice(0, 60))}; its columns are ${Object.keys(row.columns ?? {}).join(", ") || "none"}`,
  );
}

/** The difficulty that a share of the rows does not exceed. */
function quantiles(source: QuestionSource, column: string): (share: number) => number {
  const { name, passLength } = source;
  if (!Number.isFinite(passLength))
    throw new UserError(
      `--curriculum-column ${column}: ${name} has no end and no such column; name a data set that has`,
    );
  const sorted = Float64Array.from({ length: passLength }, (_, i) => difficultyOf(source.train(i), column)).sort();
  return (share) => at(sorted, Math.max(0, Math.round(share * sorted.length) - 1));
}
