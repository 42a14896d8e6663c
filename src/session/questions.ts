/**
 * Questions of a run: of data sets, shuffled anew for each pass, or synthetic ones that are made while they are used.
 * Which ones a step trains on follows from seed and step.
 */
import { at, must } from "../base/must";
import { CounterRandom, hashText } from "../base/random";
import { shellWord } from "../base/text";
import { type Dataset, type DatasetRequest, datasetRequest } from "../data/dataset";
import { DEFAULT_NGRAM_WORDS, findOverlap } from "../data/overlap";
import type { DatasetOptions } from "../options/fields/model-and-data";
import type { TrainOptions } from "../options/train";
import { dagProblem } from "../tasks/dag/problem";
import { dagRange } from "../tasks/dag/rows";
import { nanoBenchmarkProblem, nanoProblem } from "../tasks/nano/problems";

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
      return at(training, at(order, index % training.length));
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
    [order[i], order[j]] = [at(order, j), at(order, i)];
  }
  return order;
}

/** Where data sets come from. */
export interface DatasetSource {
  /**
   * A data set by name or path, fetched when it is not here.
   *
   * @param onProgress is told of each file that is being fetched; `total` is undefined when the server does not say
   * @throws UserError when it cannot be had, or a row is not understood
   */
  loadDataset(
    request: DatasetRequest,
    onProgress?: (file: string, done: number, total: number | undefined) => void,
    signal?: AbortSignal,
  ): Promise<Dataset>;
}

/** The request for `--dataset`. */
export function requestOf(options: DatasetOptions, role: DatasetRequest["role"]): DatasetRequest {
  return {
    dataset: options.dataset,
    role,
    split: options.datasetSplit,
    promptColumn: options.datasetPromptColumn,
    answerColumn: options.datasetAnswerColumn,
    offline: options.offline,
  };
}

/**
 * Opens `--dataset` and `--eval-dataset`.
 * @param notice is given a line when problems of the evaluation set are in the training set
 * @param onProgress is told of files that are being fetched
 */
export async function openQuestions(
  options: TrainOptions,
  host: DatasetSource,
  notice: (line: string) => void,
  onProgress: (file: string, done: number, total: number | undefined) => void,
  signal?: AbortSignal,
): Promise<QuestionSource> {
  const { dataset, evalDataset, seed, offline } = options;
  const madeRows = evalDataset === null ? undefined : syntheticBenchmark(evalDataset, options.evalSamples);
  const heldOut =
    options.evalSamples === 0 || evalDataset === null || madeRows !== undefined
      ? undefined
      : await host.loadDataset(datasetRequest(evalDataset, "eval", { offline }), onProgress, signal);
  // Without a table nothing has to be kept out of training.
  const ownRows = options.evalSamples === 0 ? [] : (madeRows ?? heldOut?.rows);
  const made = syntheticQuestions(dataset, seed);
  if (made !== undefined)
    return ownRows === undefined ? made : { ...made, heldOut: (count) => ownRows.slice(0, count) };
  const training = await host.loadDataset(requestOf(options, "train"), onProgress, signal);
  if (heldOut !== undefined) warnOfOverlap(training, heldOut, notice);
  return fileRows<QuestionRow>(dataset, training.rows, seed, ownRows);
}

function warnOfOverlap(training: Dataset, evaluation: Dataset, notice: (line: string) => void): void {
  const prompts = ({ rows }: Dataset) => rows.map(({ prompt }) => prompt);
  const { problems, equal, partial } = findOverlap(prompts(training), prompts(evaluation), DEFAULT_NGRAM_WORDS);
  if (equal + partial === 0) return;
  notice(
    `of the ${problems} problems of ${evaluation.name}, ${equal} are in the training set too and ${partial} share ${DEFAULT_NGRAM_WORDS} words in a row with it: ` +
      `see zerotir data check --train ${shellWord(training.name)} --eval ${shellWord(evaluation.name)}`,
  );
}

/**
 * Training questions of that name without end: never the same order twice for two seeds, and none of the held-out ones
 * among them.
 * @returns undefined when there are none of that name
 */
export function syntheticQuestions(name: string, seed: number): QuestionSource | undefined {
  const range = dagRange(name);
  if (name !== "nano" && range === undefined) return undefined;
  // Corpora and files of solutions use seeds as they are; questions use another stream.
  const stream = seed ^ 0x5eed;
  const train = (index: number): QuestionRow => {
    if (range === undefined) {
      const { expression, answer } = nanoProblem(stream, index, "train");
      return { prompt: expression, answer };
    }
    const { question, answer } = dagProblem(stream, index, range, "train");
    return { prompt: question, answer };
  };
  return {
    name,
    passLength: Number.POSITIVE_INFINITY,
    train,
    heldOut: (count) => must(syntheticBenchmark(name, count), `the held-out questions of ${name}`),
  };
}

/** The first `count` held-out questions of that name; undefined when there are none. */
export function syntheticBenchmark(name: string, count: number): QuestionRow[] | undefined {
  const range = dagRange(name);
  if (range === undefined && nanoBenchmarkProblem(name, 0) === undefined) return undefined;
  return Array.from({ length: count }, (_, index) => {
    if (range === undefined) {
      const { expression, answer } = must(nanoBenchmarkProblem(name, index), `problem ${index} of ${name}`);
      return { prompt: expression, answer };
    }
    const { question, answer } = dagProblem(hashText("benchmark"), index, range, "eval");
    return { prompt: question, answer };
  });
}
