/**
 * The options of asking a model: `sample` (answers to questions) and `eval` (figures over benchmarks), and what they
 * refuse.
 */
import * as z from "zod";
import { promptTemplateNames } from "../text/templates";
import { dtypeFields } from "./fields/adapter";
import { decodingFields, deviceFields } from "./fields/device-and-memory";
import { endpointFields } from "./fields/endpoint";
import { datasetFields, promptFields, promptRule } from "./fields/model-and-data";
import { gradingFields } from "./fields/reward";
import { presetField, seedField } from "./fields/run";
import { samplingFields, truncationFields } from "./fields/sampling";
import { toolFields } from "./fields/tool";
import { about, listOf, type OptionsOf } from "./option";
import { OptionSet } from "./option-set";
import { type Rule, rulesOn } from "./rule";

const name = z.string().min(1);
const modelHelp = "checkpoint folder, a run folder (its newest checkpoint), or nano-base for the shipped model";

const sharedFields = {
  preset: presetField,
  ...promptFields,
  seed: seedField.meta(about("Sampling", "seed of sampling")),
  greedy: z.boolean().default(false).meta(about("Sampling", "always take the most probable token")),
  ...samplingFields,
  ...truncationFields,
  ...toolFields,
  ...dtypeFields,
  ...deviceFields,
  ...decodingFields,
};

const sampleFields = {
  modelNameOrPath: name.meta(about("Model and data", modelHelp)),
  ...sharedFields,
  promptTemplate: z
    .enum(promptTemplateNames)
    .default("none")
    .meta(about("Model and data", "frame around each question; none: the text as it is")),
  temperature: z
    .number()
    .refine((value) => value === 0 || value >= 1e-6)
    .default(1)
    .meta(about("Sampling", "divides the logits; 0: always the most probable token")),
  maxToolCalls: z
    .int()
    .min(0)
    .default(0)
    .meta(about("Tool", "Python blocks run per trajectory (N_max); 0 for no tool")),
  maxPromptLength: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Sampling", "tokens; a longer prompt is an error; none: 512, or less in a model of few positions")),
  tools: z
    .enum(["auto", "python", "none"])
    .default("auto")
    .meta(about("Tool", "python: two blocks unless --max-tool-calls names a number; auto: what that says")),
  prompt: z
    .array(name)
    .default([])
    .meta(about("Model and data", "a question; may be given several times, or as arguments")),
  promptIds: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "token ids in place of a prompt: '[1, 2]'; nothing is put around them")),
  numGenerations: z.int().min(1).default(1).meta(about("Sampling", "trajectories per question")),
};

/** Resolved options of `sample`. */
export type SampleOptions = OptionsOf<typeof sampleFields>;

/** Blocks that `--tools python` stands for. */
const DEFAULT_TOOL_CALLS = 2;

function withTools(options: SampleOptions): SampleOptions {
  const { tools, maxToolCalls } = options;
  if (tools === "none") return { ...options, maxToolCalls: 0 };
  return tools === "python" && maxToolCalls === 0 ? { ...options, maxToolCalls: DEFAULT_TOOL_CALLS } : options;
}

export const sampleOptions = new OptionSet("sample", sampleFields, {
  // What a preset says of training alone: an answer has its own number of others beside it.
  notFromPreset: () => ["numGenerations"],
  settle: withTools,
  rules: [
    rulesOn<SampleOptions>().demand(
      ["prompt", "promptIds"],
      ({ prompt, promptIds }) => (prompt.length === 0) === (promptIds === null),
      "sample needs questions as arguments or with --prompt, or token ids with --prompt-ids, one of the two",
    ),
    promptRule,
  ],
});

export const benchNames = ["when2call", "teval"] as const;

const path = name.nullable().default(null);

/** Benchmarks which have prompts and scores of their own in place of questions with an answer. */
const benchFields = {
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

const evalFields = {
  ...benchFields,
  modelNameOrPath: listOf(name)
    .default([])
    .meta(about("Model and data", `${modelHelp}; several: with commas`)),
  ...sharedFields,
  dataset: listOf(name)
    .default([])
    .meta(
      about(
        "Model and data",
        "benchmarks, as arguments too: nano, nano-mul, nano-long, nano-digits, dag, dag-long, names, files",
      ),
    ),
  ...datasetFields,
  evalSamples: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Evaluation", "rows taken from the start of each; none: all (256 of synthetic ones)")),
  numGenerations: z
    .int()
    .min(1)
    .default(1)
    .meta(about("Sampling", "K: trajectories per row, for avg@K, pass@k and maj@K")),
  ...gradingFields,
  maxToolCalls: listOf(z.int().min(0))
    .default([2])
    .meta(about("Tool", "Python blocks run per trajectory (N_max); 0 for no tool; several, with commas: each in turn")),
  outputDir: name
    .nullable()
    .default(null)
    .meta(
      about("Evaluation", "folder for samples.jsonl, table.md and report.json; there again, the same call goes on"),
    ),
  ...endpointFields,
};

/** Resolved options of `eval`. */
export type EvalOptions = OptionsOf<typeof evalFields>;

const { refuse, demand } = rulesOn<EvalOptions>();

/** The rules, where `--bench` is that. */
function withBench(bench: EvalOptions["bench"], rules: readonly Rule<EvalOptions>[]): Rule<EvalOptions>[] {
  return rules.map(({ keys, check }) => ({
    keys: [...keys, "bench"],
    check(options, functions) {
      if (options.bench === bench) check(options, functions);
    },
  }));
}

const teval = withBench("teval", [
  demand(
    ["tevalDir"],
    ({ tevalDir }) => tevalDir === null,
    "--bench teval needs --teval-dir: the folder with files such as plan_json_v2.json",
  ),
  refuse(
    ["endpoint"],
    ({ endpoint }) => endpoint !== null,
    "but --bench teval asks a checkpoint; for a model behind an address give its --predictions",
  ),
  refuse(
    ["modelNameOrPath"],
    ({ modelNameOrPath }) => modelNameOrPath.length > 1,
    "but --bench teval takes one model; call it for each",
  ),
  refuse(
    ["modelNameOrPath", "predictions"],
    ({ modelNameOrPath, predictions }) => modelNameOrPath.length > 0 && predictions !== null,
    "but the model is to answer; leave one of the two out",
  ),
  refuse(["dataset"], ({ dataset }) => dataset.length > 0, "but --bench teval takes its files from --teval-dir"),
]);

const when2call = withBench("when2call", [
  refuse(
    ["endpoint"],
    ({ endpoint }) => endpoint !== null,
    "but --bench when2call needs the log-probs of given texts; give a checkpoint with --model-name-or-path",
  ),
  demand(
    ["modelNameOrPath"],
    ({ modelNameOrPath }) => modelNameOrPath.length === 0,
    "--bench when2call needs --model-name-or-path: a checkpoint folder, a run folder or a model's name",
  ),
  refuse(
    ["modelNameOrPath"],
    ({ modelNameOrPath }) => modelNameOrPath.length > 1,
    "but --bench when2call takes one model; call it for each",
  ),
  refuse(["dataset"], ({ dataset }) => dataset.length > 1, "but --bench when2call takes one file; call it for each"),
  refuse(
    ["numGenerations"],
    ({ numGenerations }) => numGenerations > 1,
    "but --bench when2call draws no samples; leave it out",
  ),
]);

const questions = withBench(null, [
  demand(
    ["modelNameOrPath", "endpoint"],
    ({ modelNameOrPath, endpoint }) => modelNameOrPath.length === 0 && endpoint === null,
    `eval needs --model-name-or-path: ${modelHelp}; or start from a --preset that sets it, or give --endpoint`,
  ),
  demand(
    ["dataset"],
    ({ dataset }) => dataset.length === 0,
    "eval needs a benchmark: nano, a name of zerotir data list, or a file; or start from a --preset",
  ),
  demand(
    ["dataset"],
    ({ dataset }) => dataset.some((each) => each.startsWith("when2call-test")),
    "When2Call has four answers to each question to be weighed; add --bench when2call",
  ),
  refuse(["maxToolCalls"], ({ maxToolCalls }) => maxToolCalls.length === 0, "but at least one is needed"),
  refuse(
    ["endpoint", "endpointModel"],
    ({ endpoint, endpointModel }) => endpoint !== null && endpointModel.length === 0,
    "but no model of it is named; add --endpoint-model",
  ),
  refuse(
    ["endpointModel", "endpoint"],
    ({ endpointModel, endpoint }) => endpoint === null && endpointModel.length > 0,
    "but there is no server to ask; add --endpoint",
  ),
  ...(["modelNameOrPath", "endpointModel", "dataset", "maxToolCalls"] as const).map((key) =>
    refuse(
      [key],
      (options) => new Set<unknown>(options[key]).size < options[key].length,
      "but each is to be named once",
    ),
  ),
  refuse(
    ["numGenerations", "greedy", "endpoint"],
    ({ numGenerations, greedy, endpoint }) => greedy && numGenerations > 1 && endpoint === null,
    "but with --greedy all answers to a question are the same; leave one of the two out",
  ),
  promptRule,
]);

export const evalOptions = new OptionSet("eval", evalFields, {
  // With an endpoint a preset's model is left out; a model that the user names is asked as well.
  notFromPreset: (layers) =>
    layers.some(({ values }) => (values.endpoint ?? null) !== null)
      ? ["numGenerations", "modelNameOrPath"]
      : ["numGenerations"],
  rules: [...teval, ...when2call, ...questions],
});
