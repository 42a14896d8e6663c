import * as z from "zod";
import {
  datasetFields,
  decodingFields,
  deviceFields,
  gradingProfileField,
  presetField,
  promptTemplateField,
  rewardScopeField,
  rewardTimeoutField,
  samplingFields,
  seedField,
  toolFields,
} from "./option-fields";
import { about, OptionSet } from "./option-set";

const modelFields = {
  preset: presetField,
  modelNameOrPath: z
    .string()
    .min(1)
    .meta(
      about(
        "Model and data",
        "checkpoint folder, a run folder (its newest checkpoint), or nano-base for the shipped model",
      ),
    ),
  promptTemplate: promptTemplateField.meta(about("Model and data", "frame around each question")),
  seed: seedField.meta(about("Sampling", "seed of sampling")),
  greedy: z.boolean().default(false).meta(about("Sampling", "always take the most probable token")),
  ...samplingFields,
  ...toolFields,
  ...deviceFields,
  ...decodingFields,
};

/** Options of `sample`. */
export const sampleOptions = new OptionSet("sample", {
  ...modelFields,
  prompt: z
    .array(z.string().min(1))
    .min(1)
    .meta(about("Model and data", "a question; may be given several times, or as arguments")),
  numGenerations: z.int().min(1).default(1).meta(about("Sampling", "trajectories per question")),
});

/** Options of `eval`. */
export const evalOptions = new OptionSet("eval", {
  ...modelFields,
  dataset: z
    .string()
    .min(1)
    .meta(about("Model and data", "name of a data set (zerotir data list), file or folder; nano: held-out arithmetic")),
  ...datasetFields,
  evalSamples: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Evaluation", "rows taken from the start; none: all (256 of nano)")),
  numGenerations: z.int().min(1).default(1).meta(about("Sampling", "K: trajectories per row, for avg@K and pass@K")),
  rewardScope: rewardScopeField,
  gradingProfile: gradingProfileField,
  rewardTimeout: rewardTimeoutField,
  outputFile: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Evaluation", "JSONL file for the trajectories; none: they are not kept")),
});

export type SampleOptions = z.output<typeof sampleOptions.schema>;
export type EvalOptions = z.output<typeof evalOptions.schema>;
