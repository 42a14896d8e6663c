/** The options of reinforcement learning, and what `train` refuses. */
import * as z from "zod";
import { comparesGroup } from "../rl/estimators";
import { dtypeFields, peftFields, refusedPeftOptions, trainedModelRules } from "./fields/adapter";
import { criticFields, hasSharedCritic } from "./fields/critic";
import { decodingFields, deviceFields, gpuMemoryFields, gpuMemoryRule, memoryFields } from "./fields/device-and-memory";
import { datasetFields, modelField, promptFields, promptRule } from "./fields/model-and-data";
import { objectiveFields } from "./fields/objective";
import { optimizerFields } from "./fields/optimizer";
import { gradingFields, rewardFields, rewardRule } from "./fields/reward";
import { presetField, runFields } from "./fields/run";
import { batchFields, samplingFields, wholeDistribution } from "./fields/sampling";
import { toolFields } from "./fields/tool";
import { about, type OptionLayer, type OptionsOf } from "./option";
import { OptionSet } from "./option-set";
import { type Rule, rulesOn } from "./rule";

/**
 * Names are those of TRL's GRPOConfig where it has them, so that a run can be carried over; defaults are TRL's too, but
 * where a comment or a source says otherwise. Model and data set have none: a run names them, or a preset that does.
 */
const fields = {
  modelNameOrPath: modelField,
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
  ...gradingFields,
  ...objectiveFields,
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
};

/** Resolved options of `train`. */
export type TrainOptions = OptionsOf<typeof fields>;

const { refuse } = rulesOn<TrainOptions>();

const WEIGHT_OF_ONE = "but a sampler that equals the trainer has the weight 1, which must lie between floor and cap";

/** What `train` refuses, in the order in which it is looked for. */
export const trainRules: readonly Rule<TrainOptions>[] = [
  refuse(
    ["klEstimator", "klPlacement", "beta"],
    ({ klEstimator, klPlacement, beta }) => beta !== 0 && klPlacement === "loss" && klEstimator === "k1",
    "but its expected gradient in a loss is 0; take k2 or k3, or --kl-placement reward",
  ),
  refuse(
    ["klTarget", "beta"],
    ({ klTarget, beta }) => klTarget !== null && beta === 0,
    "but --beta is 0, so there is nothing to steer; give the beta to begin with",
  ),
  refuse(
    ["usePeft", "advantageEstimator"],
    ({ usePeft, advantageEstimator }) => usePeft && advantageEstimator === "gae",
    "but a critic beside an adapter is not implemented; take another --advantage-estimator",
  ),
  refuse(
    ["criticWarmupSteps", "advantageEstimator", "critic"],
    (options) => options.criticWarmupSteps > 0 && hasSharedCritic(options),
    "but --critic shared has no weights of its own that could learn first; set it to 0",
  ),
  refuse(
    ["vfCoef", "advantageEstimator", "critic"],
    (options) => options.vfCoef === 0 && hasSharedCritic(options),
    "but --critic shared learns by nothing else; give a weight above 0, such as 0.1",
  ),
  refuse(
    ["criticWarmupSteps", "advantageEstimator", "maxSteps"],
    ({ criticWarmupSteps, advantageEstimator, maxSteps }) =>
      advantageEstimator === "gae" && criticWarmupSteps >= maxSteps,
    ({ maxSteps }) => `but --max-steps is ${maxSteps}, so the policy would never learn`,
  ),
  refuse(
    ["klPlacement", "beta"],
    ({ klPlacement, beta }) => klPlacement === "reward" && beta === 0,
    "but --beta is 0, so nothing is taken from the reward; give a beta",
  ),
  refuse(
    ["numGenerations", "dynamicSampling"],
    ({ numGenerations, dynamicSampling }) => dynamicSampling && numGenerations < 2,
    "but --dynamic-sampling looks for groups with right and wrong answers; set it to 2 or more",
  ),
  refuse(["importanceSamplingCap"], ({ importanceSamplingCap }) => importanceSamplingCap < 1, WEIGHT_OF_ONE),
  refuse(["importanceSamplingFloor"], ({ importanceSamplingFloor }) => importanceSamplingFloor > 1, WEIGHT_OF_ONE),
  refuse(["groupFilterMin"], ({ groupFilterMin }) => groupFilterMin === 1, "but then no group passes"),
  refuse(["groupFilterMax"], ({ groupFilterMax }) => groupFilterMax === 0, "but then no group passes"),
  refuse(
    ["maxSteps", "promptsPerStep", "numGenerations", "dynamicSampling", "maxSamplingRounds", "advantageEstimator"],
    // Greedy answers of remax count as much again.
    (options) =>
      (options.maxSteps + 1) * idsOfStep(options) * (options.advantageEstimator === "remax" ? 2 : 1) > 2 ** 32,
    (options) =>
      `but trajectories are numbered with 32 bits, and a step of this run needs up to ${idsOfStep(options)}; take fewer steps, or fewer --max-sampling-rounds`,
  ),
  refuse(
    ["inFlightWeightUpdates", "maxStaleness"],
    ({ inFlightWeightUpdates, maxStaleness }) => inFlightWeightUpdates && maxStaleness === 0,
    "but --max-staleness is 0, so nothing is sampled while weights change; set it to 1",
  ),
  refuse(
    ["numGenerations", "advantageEstimator"],
    ({ numGenerations, advantageEstimator }) =>
      numGenerations < 2 && advantageEstimator !== "gae" && comparesGroup(advantageEstimator),
    ({ advantageEstimator }) => `but ${advantageEstimator} compares the trajectories of a group; set it to 2 or more`,
  ),
  refuse(
    ["importanceSamplingFloor", "importanceSamplingCap"],
    ({ importanceSamplingFloor, importanceSamplingCap }) => importanceSamplingFloor >= importanceSamplingCap,
    ({ importanceSamplingCap }) => `but must be below --importance-sampling-cap ${importanceSamplingCap}`,
  ),
  refuse(
    ["delta", "epsilon", "epsilonHigh"],
    ({ delta, epsilon, epsilonHigh }) => delta !== null && delta <= 1 + (epsilonHigh ?? epsilon),
    "but the dual clip must lie above 1 + epsilon-high; 3 is usual",
  ),
  refuse(
    ["groupFilterMin", "groupFilterMax"],
    ({ groupFilterMin, groupFilterMax }) =>
      groupFilterMin !== null && groupFilterMax !== null && groupFilterMin >= groupFilterMax,
    ({ groupFilterMax }) => `but must be below --group-filter-max ${groupFilterMax}`,
  ),
  refuse(
    ["softPunishCache", "maxCompletionLength"],
    ({ softPunishCache, maxCompletionLength }) => softPunishCache !== null && softPunishCache > maxCompletionLength,
    ({ maxCompletionLength }) => `but --max-completion-length is ${maxCompletionLength}; it must not be longer`,
  ),
  refuse(
    ["evalSteps", "evalSamples"],
    ({ evalSteps, evalSamples }) => evalSteps > 0 && evalSamples === 0,
    "but --eval-samples is 0, so there is nothing to evaluate on; set it to 1 or more",
  ),
  refuse(
    ["metricForBestModel", "evalSteps", "saveSteps"],
    ({ metricForBestModel, evalSteps, saveSteps }) =>
      metricForBestModel?.startsWith("eval/") === true && (evalSteps === 0 || saveSteps % evalSteps !== 0),
    ({ evalSteps, saveSteps }) =>
      `but not every checkpoint is evaluated; make --save-steps ${saveSteps} a multiple of --eval-steps ${evalSteps}`,
  ),
  refuse(
    ["warmupSteps", "maxSteps"],
    ({ warmupSteps, maxSteps }) => warmupSteps > maxSteps,
    ({ maxSteps }) => `but --max-steps is ${maxSteps}; warm up for fewer`,
  ),
  refuse(
    ["maxToolResponseTokens", "maxCompletionLength", "maxToolCalls"],
    ({ maxToolResponseTokens, maxCompletionLength, maxToolCalls }) =>
      maxToolResponseTokens >= maxCompletionLength && maxToolCalls > 0,
    ({ maxCompletionLength }) =>
      `but --max-completion-length ${maxCompletionLength} must leave room for more than one output`,
  ),
  promptRule,
  gpuMemoryRule,
  ...trainedModelRules,
  rewardRule,
];

/** Most trajectories of a step. */
function idsOfStep(
  options: Pick<TrainOptions, "promptsPerStep" | "numGenerations" | "dynamicSampling" | "maxSamplingRounds">,
): number {
  return options.promptsPerStep * options.numGenerations * (options.dynamicSampling ? options.maxSamplingRounds : 1);
}

export const trainOptions = new OptionSet("train", fields, {
  rules: trainRules,
  refused: { ...wholeDistribution, ...refusedPeftOptions },
});

/**
 * The options of `train`, from places in the order in which later ones win.
 *
 * @param rewardFunctions names of functions that the host of the run has as values, which --reward-funcs may name too
 * @throws UserError for an unknown option, a value out of range, and options that contradict each other
 */
export function resolveTrainOptions(
  layers: readonly OptionLayer[],
  rewardFunctions: readonly string[] = [],
): TrainOptions {
  return trainOptions.resolve(layers, rewardFunctions);
}
