import * as z from "zod";
import { dtypeFields, gpuMemoryFields, memoryFields, peftFields, presetField } from "./option-fields";
import { about, OptionSet } from "./option-set";
import { trainOptions } from "./train-options";

const {
  modelNameOrPath,
  numGenerations,
  promptsPerStep,
  maxPromptLength,
  maxCompletionLength,
  concurrency,
  optim,
  beta,
  advantageEstimator,
  critic,
} = trainOptions.schema.shape;

/** Options of `plan`: those of `train` that memory depends on. */
export const planOptions = new OptionSet("plan", {
  preset: presetField,
  modelNameOrPath,
  numGenerations,
  promptsPerStep,
  maxPromptLength,
  maxCompletionLength,
  concurrency,
  ...dtypeFields,
  ...peftFields,
  optim,
  beta,
  advantageEstimator,
  critic,
  ...gpuMemoryFields,
  ...memoryFields,
  maxBinding: z
    .string()
    .default("2GiB")
    .meta(about("Device and memory", "largest binding of the GPU (zerotir doctor shows it); larger matrices are cut")),
});

export type PlanOptions = z.output<typeof planOptions.schema>;
