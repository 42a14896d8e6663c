/** Benchmarks of `eval --bench`, which have prompts and scores of their own in place of questions with an answer. */
import * as z from "zod";
import { UserError } from "../base/errors";
import { about } from "./option-set";

export const benchNames = ["when2call", "teval"] as const;
export type BenchName = (typeof benchNames)[number];

const path = z.string().min(1).nullable().default(null);

export const benchFields = {
  bench: z
    .enum(benchNames)
    .nullable()
    .default(null)
    .meta(
      about(
        "Evaluation",
        "a benchmark of tool use with scores of its own: when2call has the model weigh four answers (--dataset: a file of its rows), teval has it answer conversations greedily, or scores predictions made elsewhere",
      ),
    ),
  tevalDir: path.meta(about("Evaluation", "folder with the files of T-Eval, for --bench teval")),
  predictions: path.meta(
    about(
      "Evaluation",
      "for --bench teval: JSON lines of {set, id, prediction}; none: the model's, or without one those in the files under prediction",
    ),
  ),
};

/** The options that say what `--bench` runs on. */
export interface BenchChoice {
  readonly bench: BenchName;
  readonly modelNameOrPath: readonly string[];
  readonly dataset: readonly string[];
  readonly endpoint: string | null;
  readonly numGenerations: number;
  readonly tevalDir: string | null;
  readonly predictions: string | null;
}

/**
 * @param refuse throws an error about the value of an option
 * @throws UserError when the options do not fit the benchmark
 */
export function checkedBench(
  options: BenchChoice,
  refuse: (key: "endpoint" | "modelNameOrPath" | "dataset" | "numGenerations" | "predictions", why: string) => void,
): void {
  const what = `--bench ${options.bench}`;
  if (options.bench === "teval") {
    if (options.tevalDir === null)
      throw new UserError(`${what} needs --teval-dir: the folder with files such as plan_json_v2.json`);
    if (options.endpoint !== null)
      refuse("endpoint", `but ${what} asks a checkpoint; for a model behind an address give its --predictions`);
    if (options.modelNameOrPath.length > 1) refuse("modelNameOrPath", `but ${what} takes one model; call it for each`);
    if (options.modelNameOrPath.length > 0 && options.predictions !== null)
      refuse("predictions", "but the model is to answer; leave one of the two out");
    if (options.dataset.length > 0) refuse("dataset", `but ${what} takes its files from --teval-dir`);
    return;
  }
  if (options.endpoint !== null)
    refuse("endpoint", `but ${what} needs the log-probs of given texts; give a checkpoint with --model-name-or-path`);
  if (options.modelNameOrPath.length === 0)
    throw new UserError(`${what} needs --model-name-or-path: a checkpoint folder, a run folder or a model's name`);
  if (options.modelNameOrPath.length > 1) refuse("modelNameOrPath", `but ${what} takes one model; call it for each`);
  if (options.dataset.length > 1) refuse("dataset", `but ${what} takes one file; call it for each`);
  if (options.numGenerations > 1) refuse("numGenerations", `but ${what} draws no samples; leave it out`);
}
