import * as z from "zod";
import { UserError } from "../base/errors";
import { promptTemplateNames } from "../text/templates";
import { benchFields, checkedBench } from "./bench-options";
import {
  datasetFields,
  decodingFields,
  deviceFields,
  dtypeFields,
  gradingProfileField,
  presetField,
  promptFields,
  rewardScopeField,
  rewardTimeoutField,
  samplingFields,
  seedField,
  toolFields,
} from "./option-fields";
import { about, listOf, type OptionLayer, OptionSet } from "./option-set";
import { resolveOptions } from "./resolve-options";

const name = z.string().min(1);
const modelHelp = "checkpoint folder, a run folder (its newest checkpoint), or nano-base for the shipped model";

const sharedFields = {
  preset: presetField,
  ...promptFields,
  seed: seedField.meta(about("Sampling", "seed of sampling")),
  greedy: z.boolean().default(false).meta(about("Sampling", "always take the most probable token")),
  ...samplingFields,
  ...toolFields,
  ...dtypeFields,
  ...deviceFields,
  ...decodingFields,
};

/** Options of `sample`. */
export const sampleOptions = new OptionSet("sample", {
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
});

/**
 * Resolves the options of `sample`.
 * @throws UserError also without a prompt
 */
export function resolveSampleOptions(layers: readonly OptionLayer[]): SampleOptions {
  const options = resolveOptions(sampleOptions, layers);
  if ((options.prompt.length === 0) === (options.promptIds === null))
    throw new UserError(
      "sample needs questions as arguments or with --prompt, or token ids with --prompt-ids, one of the two",
    );
  const { tools, maxToolCalls } = options;
  if (tools === "none") return { ...options, maxToolCalls: 0 };
  return tools === "python" && maxToolCalls === 0 ? { ...options, maxToolCalls: DEFAULT_TOOL_CALLS } : options;
}

const DEFAULT_TOOL_CALLS = 2;

/** A model behind an address. */
const endpointFields = {
  endpoint: name
    .nullable()
    .default(null)
    .meta(about("Endpoint", "address of an OpenAI-compatible server, such as http://localhost:8000/v1")),
  endpointModel: listOf(name)
    .default([])
    .meta(about("Endpoint", "the server's names of the models to ask, separated by commas")),
  endpointApi: z
    .enum(["completions", "chat"])
    .default("completions")
    .meta(about("Endpoint", "completions goes on in one text; chat has messages, and outputs are the user's")),
  endpointKeyEnv: name
    .default("OPENAI_API_KEY")
    .meta(about("Endpoint", "environment variable that holds the key; no key is sent when it is empty")),
  endpointConcurrency: z.int().min(1).default(16).meta(about("Endpoint", "answers under way at once")),
  endpointRequestsPerMinute: z
    .number()
    .gt(0)
    .nullable()
    .default(null)
    .meta(about("Endpoint", "most requests in a minute; none: no limit")),
  endpointTimeout: z
    .number()
    .min(0.001)
    .max(3600)
    .default(120)
    .meta(about("Endpoint", "seconds without a sign of the server before a request is made again")),
  endpointRetries: z
    .int()
    .min(0)
    .default(6)
    .meta(about("Endpoint", "repetitions of a request that the server refused for now, left hanging or garbled")),
};

/** Options of `eval`. */
export const evalOptions = new OptionSet("eval", {
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
  rewardScope: rewardScopeField,
  gradingProfile: gradingProfileField,
  rewardTimeout: rewardTimeoutField,
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
});

export type SampleOptions = z.output<typeof sampleOptions.schema>;
export type EvalOptions = z.output<typeof evalOptions.schema>;

/**
 * Resolves the options of `eval`. With an endpoint a preset's model is left out; a model that the user names is asked as well.
 * @throws UserError also when there is nothing to evaluate
 */
export function resolveEvalOptions(layers: readonly OptionLayer[]): EvalOptions {
  const remote = layers.some(({ values }) => (values.endpoint ?? null) !== null);
  const noModel: OptionLayer = { source: "--endpoint", spelling: "flag", values: { modelNameOrPath: [] } };
  const options = resolveOptions(evalOptions, remote ? [noModel, ...layers] : layers);
  const refuse = (key: keyof EvalOptions, why: string) => {
    throw evalOptions.wrong(key, options[key], undefined, why);
  };
  if (options.bench !== null) {
    checkedBench({ ...options, bench: options.bench }, refuse);
    return options;
  }
  if (options.endpoint === null && options.modelNameOrPath.length === 0)
    throw new UserError(
      `eval needs --model-name-or-path: ${modelHelp}; or start from a --preset that sets it, or give --endpoint`,
    );
  if (options.dataset.length === 0)
    throw new UserError(
      "eval needs a benchmark: nano, a name of zerotir data list, or a file; or start from a --preset",
    );
  if (options.dataset.some((dataset) => dataset.startsWith("when2call-test")))
    throw new UserError("When2Call has four answers to each question to be weighed; add --bench when2call");
  if (options.maxToolCalls.length === 0) refuse("maxToolCalls", "but at least one is needed");
  if (options.endpoint !== null && options.endpointModel.length === 0)
    refuse("endpoint", "but no model of it is named; add --endpoint-model");
  if (options.endpoint === null && options.endpointModel.length > 0)
    refuse("endpointModel", "but there is no server to ask; add --endpoint");
  for (const key of ["modelNameOrPath", "endpointModel", "dataset", "maxToolCalls"] as const)
    if (new Set<unknown>(options[key]).size < options[key].length) refuse(key, "but each is to be named once");
  if (options.greedy && options.numGenerations > 1 && options.endpoint === null)
    refuse("numGenerations", "but with --greedy all answers to a question are the same; leave one of the two out");
  return options;
}
