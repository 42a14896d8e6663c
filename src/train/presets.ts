import { type PresetName, presetNames } from "./option-fields";
import type { TrainOptions } from "./options";

/** Options that differ from the defaults. Everything given by file or flag wins over them. */
export const presets: Record<PresetName, Partial<TrainOptions>> = {
  /** The shipped model of 229 344 parameters on synthetic arithmetic: a minute or a few without a GPU. */
  nano: {
    modelNameOrPath: "nano-base",
    dataset: "nano",
    promptTemplate: "nano",
    maxSteps: 40,
    saveSteps: 20,
    numGenerations: 8,
    promptsPerStep: 16,
    maxPromptLength: 48,
    maxCompletionLength: 112,
    maxToolCalls: 1,
    maxToolResponseTokens: 32,
    advantageEstimator: "grpo",
    scaleRewards: "group",
    lossType: "dapo",
    learningRate: 5e-4,
    temperature: 1,
  },
};

/** What a preset says of training alone: an evaluation has its own number of answers per question. */
export const TRAINING_ONLY: ReadonlySet<string> = new Set(["numGenerations"]);

export function isPresetName(name: string): name is PresetName {
  return presetNames.some((preset) => preset === name);
}
