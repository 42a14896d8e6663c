/** Answers of a model, and figures over data sets. */

import { UserError } from "../base/errors";
import { type EvalOptions, evalOptions, type SampleOptions, sampleOptions } from "../options/evaluate";
import type { EnvironmentFactory } from "../rollout/environment";
import type { EvalReport } from "../run/context";
import type { AnswerSample } from "../session/events";
import { checkArgs, checkSettings, isList, namedRows, type Rows } from "./settings";

/** Settings of {@link generate}. */
export interface GenerateSettings {
  /** Checkpoint folder, run folder (its newest checkpoint), a name of the hub, or `nano-base`. */
  readonly model: string;
  /** Questions, to be framed by `args.promptTemplate` (default: as they are). */
  readonly prompts: readonly string[];
  /** Options of `zerotir sample`, in camelCase. Python runs only if `args.maxToolCalls` is above 0. */
  readonly args?: Partial<Omit<SampleOptions, "modelNameOrPath" | "prompt" | "promptIds">>;
  /** Makes what each trajectory interacts with in place of Python; needs `args.maxToolCalls` too. */
  readonly environmentFactory?: EnvironmentFactory;
  readonly signal?: AbortSignal;
  /** Told what the user should know, such as a fallback adapter. */
  readonly onNotice?: (line: string) => void;
}

/**
 * Samples `args.numGenerations` answers to each prompt, as `zerotir sample` does: same seed, same tokens.
 * @returns in the order of the prompts: texts, token ids, log-probs
 * @throws UserError (by its name) for what the user can repair
 */
export async function generate(settings: GenerateSettings): Promise<AnswerSample[]> {
  checkSettings("generate", settings, ["model", "prompts", "args", "environmentFactory", "signal", "onNotice"]);
  const { model, prompts, args = {}, environmentFactory, signal, onNotice = () => {} } = settings;
  if (!Array.isArray(prompts)) throw new UserError('prompts: expected a list of texts, such as ["1+1"]');
  checkArgs(args, { modelNameOrPath: "model", prompt: "prompts", promptIds: "prompts" });
  const options = sampleOptions.resolve([
    { source: "args", spelling: "code", values: args },
    { source: "generate", spelling: "code", values: { modelNameOrPath: model, prompt: [...prompts] } },
  ]);
  const { sample } = await import("../run/sample");
  const samples: AnswerSample[] = [];
  await sample(
    options,
    {
      signal: signal ?? new AbortController().signal,
      announce: onNotice,
      onSample: (answer) => samples.push(answer),
      onProgress: () => {},
    },
    { environmentFactory },
  );
  return samples;
}

/** Settings of {@link evaluate}. */
export interface EvaluateSettings {
  /** As in {@link GenerateSettings}; several give a table. */
  readonly model: string | readonly string[];
  /** A benchmark by name or path, several of them, or rows `{ prompt, answer }`. */
  readonly dataset: string | readonly string[] | Exclude<Rows, string>;
  /** Options of `zerotir eval`, in camelCase. */
  readonly args?: Partial<Omit<EvalOptions, "modelNameOrPath" | "dataset">>;
  readonly signal?: AbortSignal;
  /** Samples done and in all, and which model is on which benchmark. */
  readonly onProgress?: (done: number, total: number, what: string) => void;
  readonly onNotice?: (line: string) => void;
}

/**
 * avg@K, pass@k, maj@K and code ratio, as `zerotir eval` finds them.
 * @throws UserError (by its name) for what the user can repair
 */
export async function evaluate(settings: EvaluateSettings): Promise<EvalReport> {
  checkSettings("evaluate", settings, ["model", "dataset", "args", "signal", "onProgress", "onNotice"]);
  const { model, dataset, args = {}, signal, onProgress = () => {}, onNotice = () => {} } = settings;
  checkArgs(args, { modelNameOrPath: "model", dataset: "dataset" });
  if (typeof model !== "string" && !Array.isArray(model))
    throw new UserError("model: expected a folder or a name such as nano-base, or a list of them");
  if (typeof dataset !== "string" && !isList(dataset))
    throw new UserError(
      'dataset: expected a benchmark, several of them, or rows such as { prompt: "1+1", answer: "2" }',
    );
  const list = typeof dataset === "string" ? [dataset] : [...dataset];
  const names = list.filter((each) => typeof each === "string");
  const { name, rows } =
    names.length === list.length
      ? { name: names, rows: {} }
      : namedRows(
          "dataset",
          list.filter((each) => typeof each !== "string"),
        );
  const options = evalOptions.resolve([
    { source: "args", spelling: "code", values: args },
    {
      source: "evaluate",
      spelling: "code",
      values: { modelNameOrPath: typeof model === "string" ? [model] : [...model], dataset: name },
    },
  ]);
  const run = await import("../run/evaluate");
  return run.evaluate(
    options,
    { signal: signal ?? new AbortController().signal, announce: onNotice, onProgress },
    { rows },
  );
}
