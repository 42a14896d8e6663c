import * as z from "zod";
import { batchFields } from "./batch-fields";
import { criticFields } from "./critic-fields";
import { objectiveFields } from "./objective-fields";
import {
  datasetFields,
  decodingFields,
  deviceFields,
  dtypeFields,
  gpuMemoryFields,
  gradingProfileField,
  memoryFields,
  optimizerFields,
  peftFields,
  presetField,
  promptFields,
  rewardFields,
  rewardScopeField,
  rewardTimeoutField,
  runFields,
  samplingFields,
  toolFields,
} from "./option-fields";
import { about, OptionSet } from "./option-set";

/**
 * Options of reinforcement learning. Names are those of TRL's GRPOConfig where it has them, so that a run can be carried over;
 * defaults are TRL's too, but where a comment or a source says otherwise. Model and data set have none: a run names them, or a preset that does.
 */
export const trainOptions = new OptionSet("train", {
  modelNameOrPath: z
    .string()
    .min(1)
    .meta(about("Model and data", "checkpoint folder in Hugging Face layout, or nano-base for the shipped model")),
  dataset: z
    .string()
    .min(1)
    .meta(
      about(
        "Model and data",
        "name of a data set (zerotir data list), file or folder; nano, dag: endless synthetic problems",
      ),
    ),
  ...datasetFields,
  ...promptFields,
  preset: presetField,
  maxSteps: z
    .int()
    .min(1)
    .default(100)
    .meta(about("Run", "optimizer steps counted from the first start, resumed or not")),
  ...runFields,
  metricForBestModel: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(
      about("Run", "metric of metrics.jsonl by which the best checkpoint is kept too; none: only the newest count"),
    ),
  greaterIsBetter: z.boolean().default(true).meta(about("Run", "whether a greater --metric-for-best-model is better")),
  htmlReport: z.boolean().default(true).meta(about("Run", "write report.html into the run folder at the end")),
  logCompletions: z.boolean().default(true).meta(about("Run", "show samples while training")),
  logCompletionsSteps: z.int().min(1).default(5).meta(about("Run", "steps between samples that are shown")),
  numCompletionsToPrint: z.int().min(1).default(1).meta(about("Run", "samples shown each time")),

  numGenerations: z.int().min(1).default(8).meta(about("Sampling", "trajectories per prompt: the group")),
  promptsPerStep: z.int().min(1).default(16).meta(about("Sampling", "prompts per step")),
  ...samplingFields,
  ...batchFields,
  ...toolFields,

  ...rewardFields,
  rewardScope: rewardScopeField,
  gradingProfile: gradingProfileField,
  rewardTimeout: rewardTimeoutField,
  ...objectiveFields,
  epsilon: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .meta(about("Objective", "the ratio is clipped below 1 - epsilon; 1: never")),
  epsilonHigh: z
    .number()
    .min(0)
    .nullable()
    .default(null)
    .meta(about("Objective", "the ratio is clipped above 1 + epsilon-high; none: the same as epsilon")),
  delta: z
    .number()
    .gt(1)
    .nullable()
    .default(null)
    .meta(about("Objective", "dual clip: bound of the ratio at negative advantage")),
  numIterations: z
    .int()
    .min(1)
    .default(1)
    .meta(about("Objective", "passes over a batch of trajectories, each token with the log-prob it was sampled with")),
  ...criticFields,

  learningRate: z.number().min(0).default(1e-6).meta(about("Optimizer", "AdamW's step size at its highest")),
  lrSchedulerType: z
    .enum(["constant", "linear", "cosine"])
    .default("constant")
    .meta(about("Optimizer", "course of the learning rate after warm-up, down to min-lr-rate at max-steps")),
  ...optimizerFields,
  skipGradNorm: z
    .number()
    .gt(0)
    .nullable()
    .default(null)
    .meta(
      about("Optimizer", "an update whose gradient norm is above this is left out; none: only one that is not finite"),
    ),
  ...peftFields,

  evalSamples: z
    .int()
    .min(0)
    .default(64)
    .meta(about("Evaluation", "held-out problems of the table before and after; 0: no table")),
  evalSteps: z
    .int()
    .min(0)
    .default(0)
    .meta(about("Evaluation", "steps between evaluations while training; 0: before and after only")),
  numGenerationsEval: z
    .int()
    .min(1)
    .default(1)
    .meta(about("Evaluation", "sampled answers to each held-out problem, beside the greedy one")),
  evalDataset: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Evaluation", "data set for that table; none: rows of --dataset that are kept out of training")),
  ...dtypeFields,
  ...deviceFields,
  ...decodingFields,
  ...gpuMemoryFields,
  ...memoryFields,
});

/** Resolved options of `train`. */
export type TrainOptions = z.output<typeof trainOptions.schema>;
