/** Questions of a run: which ones a step trains on follows from the seed and the step alone, so a resumed run needs no cursor. */
import { CounterRandom } from "../base/random";

/** A question and its right answer, or answers. */
export interface QuestionRow {
  readonly prompt: string;
  readonly answer: string | readonly string[];
  /** Token ids that stand for the framed prompt, where they are given as such. */
  readonly promptIds?: Uint32Array;
  /** What else the data set says of the question, for reward functions that want it. */
  readonly columns?: Readonly<Record<string, unknown>>;
}

/** An endless sequence of training rows, and held-out ones. */
export interface RowSource<Row> {
  readonly name: string;
  /** Training rows until each has come once; no end to synthetic ones. */
  readonly passLength: number;
  /** Row `index` of the training sequence. */
  train(index: number): Row;
  /** The first `count` held-out rows, or fewer when there are no more. */
  heldOut(count: number): Row[];
}

export type QuestionSource = RowSource<QuestionRow>;

/** Of rows without held-out ones of their own, one in this many is kept out of training. */
const HELD_OUT_EVERY = 20;

/**
 * Rows of a data set in an order shuffled anew for each pass.
 * @param heldOutRows rows to measure with; without them every twentieth of `rows`, which then is never trained on
 */
export function fileRows<Row>(
  name: string,
  rows: readonly Row[],
  seed: number,
  heldOutRows?: readonly Row[],
): RowSource<Row> {
  const isHeldOut = (index: number) => heldOutRows === undefined && index % HELD_OUT_EVERY === HELD_OUT_EVERY - 1;
  const training = rows.filter((_, index) => !isHeldOut(index));
  const heldOut = heldOutRows ?? rows.filter((_, index) => isHeldOut(index));
  let pass = -1;
  let order: number[] = [];
  return {
    name,
    passLength: training.length,
    train(index) {
      const wanted = Math.floor(index / training.length);
      if (wanted !== pass) {
        order = shuffled(training.length, seed, wanted);
        pass = wanted;
      }
      const row = training[order[index % training.length] ?? 0];
      if (row === undefined) throw new RangeError(`no row ${index}`);
      return row;
    },
    heldOut: (count) => heldOut.slice(0, count),
  };
}

/** Fisher and Yates, keyed by (seed, pass). */
function shuffled(length: number, seed: number, pass: number): number[] {
  const random = new CounterRandom(seed, pass);
  const order = Array.from({ length }, (_, index) => index);
  for (let i = length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}
