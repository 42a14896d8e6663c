/** Benchmarks by name or file. */

import { hashText } from "../base/random";
import { benchmarkName } from "../data/dataset";
import type { DatasetOptions } from "../options/fields/model-and-data";
import type { TrainingHost } from "../session/host";
import type { QuestionRow } from "../session/questions";
import { requestOf, syntheticBenchmark } from "../session/questions";

export interface Benchmark {
  /** A column or row of the tables; unique within an evaluation. */
  readonly name: string;
  readonly rows: readonly QuestionRow[];
  /** Equal for equal rows. */
  readonly fingerprint: string;
}

/** Rows of a synthetic benchmark when `--eval-samples` does not say: they have no end. */
const SYNTHETIC_ROWS = 256;

/** Which benchmarks, and which rows of them. */
export type BenchmarkOptions = Omit<DatasetOptions, "dataset"> & {
  readonly dataset: readonly string[];
  readonly evalSamples: number | null;
};

/**
 * Opens the benchmarks of `--dataset` in their order.
 * @param onProgress is told of files that are being fetched
 * @throws UserError for one that cannot be had
 */
export async function openBenchmarks(
  options: BenchmarkOptions,
  host: Pick<TrainingHost, "loadDataset">,
  onProgress: (file: string) => void = () => {},
): Promise<Benchmark[]> {
  const shorts = options.dataset.map(benchmarkName);
  const benchmarks: Benchmark[] = [];
  for (const [index, name] of options.dataset.entries()) {
    const rows = await rowsOf(name, options, host, onProgress);
    const short = shorts[index] ?? name;
    benchmarks.push({
      name: shorts.filter((other) => other === short).length > 1 ? name : short,
      rows,
      fingerprint: hashText(JSON.stringify(rows.map(({ prompt, answer }) => [prompt, answer]))).toString(16),
    });
  }
  return benchmarks;
}

async function rowsOf(
  name: string,
  options: BenchmarkOptions,
  host: Pick<TrainingHost, "loadDataset">,
  onProgress: (file: string) => void,
): Promise<readonly QuestionRow[]> {
  const { evalSamples } = options;
  const made = syntheticBenchmark(name, evalSamples ?? SYNTHETIC_ROWS);
  if (made !== undefined) return made;
  const { rows } = await host.loadDataset(requestOf({ ...options, dataset: name }, "eval"), onProgress);
  return rows.slice(0, evalSamples ?? rows.length);
}
