/** The options of `plan`: those of `train` that memory depends on, with the rules of `train` on them. */
import * as z from "zod";
import { refusedPeftOptions } from "./fields/adapter";
import { parseMemory } from "./fields/device-and-memory";
import { about, type OptionsOf } from "./option";
import { OptionSet } from "./option-set";
import { rulesAmong } from "./rule";
import { trainOptions, trainRules } from "./train";

/** In the order of `plan --help`. */
const plannedFields = trainOptions.schema.pick({
  preset: true,
  modelNameOrPath: true,
  numGenerations: true,
  promptsPerStep: true,
  maxPromptLength: true,
  maxCompletionLength: true,
  concurrency: true,
  dtype: true,
  usePeft: true,
  loraR: true,
  loraAlpha: true,
  loraTargetModules: true,
  useRslora: true,
  optim: true,
  beta: true,
  advantageEstimator: true,
  critic: true,
  gpuMemory: true,
  microBatchTokens: true,
  gradientCheckpointing: true,
}).shape;

const fields = {
  ...plannedFields,
  maxBinding: z
    .string()
    .default("2GiB")
    .meta(about("Device and memory", "largest binding of the GPU (zerotir doctor shows it); larger matrices are cut")),
};

/** Resolved options of `plan`. */
export type PlanOptions = OptionsOf<typeof fields>;

export const planOptions = new OptionSet("plan", fields, {
  rules: [
    ...rulesAmong(trainRules, plannedFields),
    { keys: ["maxBinding"], check: ({ maxBinding }) => void parseMemory(maxBinding) },
  ],
  refused: refusedPeftOptions,
});
