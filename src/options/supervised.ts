/**
 * The options of training on given texts: `sft` (answers), `dpo` (preferences) and `pretrain` (documents), and what
 * they refuse.
 */
import * as z from "zod";
import { UserError } from "../base/errors";
import { dtypeFields, peftFields, refusedPeftOptions, trainedModelRules } from "./fields/adapter";
import { deviceFields, memoryFields } from "./fields/device-and-memory";
import { modelField, offlineField, promptFields, promptRule } from "./fields/model-and-data";
import { optimizerFields, scheduleFields } from "./fields/optimizer";
import { runFields } from "./fields/run";
import { about, type OptionsOf } from "./option";
import { OptionSet } from "./option-set";
import { rulesOn } from "./rule";

/** What `sft` and `dpo` share before their own options. */
const sharedFields = {
  modelNameOrPath: modelField,
  ...offlineField,
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

/** What they share behind them. */
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

const conduct = { rules: [promptRule, ...trainedModelRules], refused: refusedPeftOptions };

/** Names of TRL's SFTConfig. */
export const sftOptions = new OptionSet(
  "sft",
  {
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
  },
  conduct,
);

/** Resolved options of `sft`. */
export type SftOptions = ReturnType<typeof sftOptions.resolve>;

/** Names of TRL's DPOConfig. */
export const dpoOptions = new OptionSet(
  "dpo",
  {
    dataset: z
      .string()
      .min(1)
      .meta(
        about("Model and data", "JSONL file of {prompt, chosen, rejected} rows, or of When2Call's preference rows"),
      ),
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
  },
  conduct,
);

/** Resolved options of `dpo`. */
export type DpoOptions = ReturnType<typeof dpoOptions.resolve>;

const pretrainFields = {
  dataset: z
    .string()
    .min(1)
    .meta(
      about(
        "Model and data",
        "text file, JSONL file of {text} rows, nano, or a mixture by shares of tokens: a.jsonl:0.7,b.jsonl:0.3",
      ),
    ),
  modelNameOrPath: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "checkpoint folder to go on from; none: new weights by --model-config")),
  ...offlineField,
  modelConfig: z
    .string()
    .min(1)
    .default("nano")
    .meta(about("Model and data", "config.json of the new model, or nano for the shipped one's")),
  tokenizer: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "folder with tokenizer.json; none: that of the model, or the nano tokenizer")),
  maxSteps: z.int().min(1).default(1000).meta(about("Run", "optimizer steps counted from the first start")),
  ...runFields,
  tokensPerStep: z.int().min(2).default(8192).meta(about("Run", "tokens of documents per optimizer step")),
  maxLength: z.int().min(2).default(256).meta(about("Run", "tokens of the longest document; longer ones are cut")),
  learningRate: z.number().min(0).default(3e-3).meta(about("Optimizer", "AdamW's step size at its highest")),
  ...scheduleFields,
  ...optimizerFields,
  ...peftFields,
  evalSamples: z.int().min(0).default(64).meta(about("Evaluation", "held-out documents; 0: no evaluation")),
  ...dtypeFields,
  ...deviceFields,
  ...memoryFields,
};

/** Resolved options of `pretrain`. */
export type PretrainOptions = OptionsOf<typeof pretrainFields>;

/** A data set of a mixture and its weight, which counts relative to the others'. */
export interface MixturePart {
  readonly dataset: string;
  readonly weight: number;
}

/**
 * Reads `a.jsonl:0.7,b.jsonl:0.3`. A text without weights is one data set, commas and all.
 * @throws UserError when a part has no weight, or one that is not above 0, or comes twice
 */
export function parseMixture(text: string): MixturePart[] {
  if (!/:[-+.\deE]+(?:,|$)/.test(text)) return [{ dataset: text, weight: 1 }];
  const parts = text.split(",").map((part) => {
    const [, dataset = "", number = ""] = /^(.+):([^:]+)$/.exec(part.trim()) ?? [];
    const weight = Number(number);
    if (dataset === "" || !Number.isFinite(weight) || weight <= 0)
      throw new UserError(`--dataset: ${JSON.stringify(part)} has no weight above 0; expected a.jsonl:0.7,b.jsonl:0.3`);
    return { dataset, weight };
  });
  const twice = parts.find(({ dataset }, index) => parts.findIndex((part) => part.dataset === dataset) < index);
  if (twice !== undefined)
    throw new UserError(`--dataset: ${twice.dataset} comes twice in the mixture; add its weights up`);
  return parts;
}

const { demand } = rulesOn<PretrainOptions>();

/** Names of Hugging Face's TrainingArguments. */
export const pretrainOptions = new OptionSet("pretrain", pretrainFields, {
  rules: [
    { keys: ["dataset"], check: ({ dataset }) => void parseMixture(dataset) },
    demand(
      ["tokenizer", "modelNameOrPath"],
      ({ tokenizer, modelNameOrPath }) => tokenizer !== null && modelNameOrPath !== null,
      ({ modelNameOrPath }) =>
        `--tokenizer is for new weights; ${modelNameOrPath} has its own tokenizer, so leave one of the two out`,
    ),
    ...trainedModelRules,
    demand(
      ["usePeft", "modelNameOrPath", "resumeFromCheckpoint"],
      ({ usePeft, modelNameOrPath, resumeFromCheckpoint }) =>
        usePeft && modelNameOrPath === null && resumeFromCheckpoint === null,
      "--use-peft needs --model-name-or-path: an adapter stands on a model that was trained before",
    ),
  ],
  refused: refusedPeftOptions,
});
