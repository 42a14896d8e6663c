/** The questions of a run: which data sets its options name, and a word when they overlap. */
import { type Dataset, type DatasetRequest, datasetRequest } from "../data/dataset";
import { DEFAULT_NGRAM_WORDS, findOverlap } from "../data/overlap";
import type { TrainOptions } from "../options/train";
import type { TrainingHost } from "./host";
import { fileRows, type QuestionRow, type QuestionSource } from "./prompts";
import { syntheticBenchmark, syntheticQuestions } from "./synthetic-questions";

/** What of the options says which rows of `--dataset` are meant. */
export type DatasetOptions = Pick<
  TrainOptions,
  "dataset" | "datasetSplit" | "datasetPromptColumn" | "datasetAnswerColumn" | "offline"
>;

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
  host: TrainingHost,
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
      `see zerotir data check --train ${training.name} --eval ${evaluation.name}`,
  );
}
