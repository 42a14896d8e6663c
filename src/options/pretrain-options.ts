import * as z from "zod";
import {
  deviceFields,
  dtypeFields,
  memoryFields,
  optimizerFields,
  peftFields,
  runFields,
  scheduleFields,
} from "./option-fields";
import { about, OptionSet } from "./option-set";

/** Options of next-token training; names of Hugging Face's TrainingArguments. */
export const pretrainOptions = new OptionSet("pretrain", {
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
});

/** Resolved options of `pretrain`. */
export type PretrainOptions = z.output<typeof pretrainOptions.schema>;
