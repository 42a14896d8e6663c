/** Options of training on given answers (sft) and on preferences (dpo); names of TRL's SFTConfig and DPOConfig. */
import * as z from "zod";
import {
  deviceFields,
  dtypeFields,
  memoryFields,
  optimizerFields,
  peftFields,
  promptFields,
  runFields,
  scheduleFields,
} from "./option-fields";
import { about, OptionSet } from "./option-set";

const sharedFields = {
  modelNameOrPath: z
    .string()
    .min(1)
    .meta(about("Model and data", "checkpoint folder in Hugging Face layout, or nano-base for the shipped model")),
  ...promptFields,
  promptTemplate: promptFields.promptTemplate
    .unwrap()
    .default("none")
    .meta(about("Model and data", "frame around the prompt of rows that have one; chat: the model's own")),
  maxSteps: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Run", "optimizer steps counted from the first start; none: those of --num-train-epochs")),
  numTrainEpochs: z.number().gt(0).default(3).meta(about("Run", "passes over the rows")),
  ...runFields,
  perDeviceTrainBatchSize: z.int().min(1).default(8).meta(about("Run", "rows per optimizer step")),
  maxLength: z.int().min(2).default(1024).meta(about("Run", "tokens of the longest sequence; longer ones are cut")),
};

const restFields = {
  ...scheduleFields,
  ...optimizerFields,
  ...peftFields,
  evalSamples: z
    .int()
    .min(0)
    .default(64)
    .meta(about("Evaluation", "held-out rows, of one in 20 of a file; 0: no evaluation, all rows are trained on")),
  ...deviceFields,
  ...dtypeFields,
  ...memoryFields,
};

export const sftOptions = new OptionSet("sft", {
  dataset: z
    .string()
    .min(1)
    .meta(
      about(
        "Model and data",
        "JSONL file of {prompt, completion} or {messages} rows or of a run's rollouts; or nano: synthetic arithmetic",
      ),
    ),
  ...sharedFields,
  minReward: z
    .number()
    .min(-1000)
    .nullable()
    .default(null)
    .meta(about("Model and data", "rollouts with less reward are left out")),
  learningRate: z.number().min(0).default(2e-5).meta(about("Optimizer", "AdamW's step size at its highest")),
  ...restFields,
});

/** Resolved options of `sft`. */
export type SftOptions = z.output<typeof sftOptions.schema>;

export const dpoOptions = new OptionSet("dpo", {
  dataset: z
    .string()
    .min(1)
    .meta(about("Model and data", "JSONL file of {prompt, chosen, rejected} rows, or of When2Call's preference rows")),
  ...sharedFields,
  lossType: z
    .enum(["sigmoid", "rpo"])
    .default("sigmoid")
    .meta(about("Objective", "sigmoid: DPO; rpo: squared distance of the implicit reward gap to the given one")),
  beta: z.number().gt(0).default(0.1).meta(about("Objective", "reward per nat of log-ratio to the reference")),
  rpoAlpha: z
    .number()
    .min(0)
    .default(0)
    .meta(about("Objective", "weight of the chosen answer's mean negative log-likelihood")),
  learningRate: z.number().min(0).default(1e-6).meta(about("Optimizer", "AdamW's step size at its highest")),
  ...restFields,
});

/** Resolved options of `dpo`. */
export type DpoOptions = z.output<typeof dpoOptions.schema>;
