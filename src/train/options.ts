import * as z from "zod";
import { about, OptionSet } from "./option-set";

/** Names that `--preset` takes; what they set is in presets.ts. */
export const presetNames = ["nano"] as const;
export type PresetName = (typeof presetNames)[number];

const positive = z.number().gt(0);
const share = z.number().min(0).max(1);

/**
 * Options of reinforcement learning. Names are those of TRL's GRPOConfig where it has them, so that a run can be carried over;
 * defaults are TRL's too. Model and data set have none: a run names them, or a preset that does.
 */
export const trainOptions = new OptionSet("train", {
  modelNameOrPath: z
    .string()
    .min(1)
    .meta(about("Model and data", "checkpoint folder in Hugging Face layout, or nano-base for the shipped model")),
  dataset: z
    .string()
    .min(1)
    .meta(about("Model and data", "JSONL file of {prompt, answer} rows, or nano for endless synthetic arithmetic")),
  promptTemplate: z
    .enum(["nano", "zero-tir", "zero-no-tool"])
    .default("zero-tir")
    .meta(about("Model and data", "frame around each question; zero-no-tool does not mention Python")),
  preset: z.enum(presetNames).nullable().default(null).meta(about("Run", "a set of options to start from")),
  maxSteps: z
    .int()
    .min(1)
    .default(100)
    .meta(about("Run", "optimizer steps counted from the first start, resumed or not")),
  seed: z
    .int()
    .min(0)
    .max(0xffffffff)
    .default(42)
    .meta(about("Run", "seed of prompts and sampling; the same seed gives the same run")),
  outputDir: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Run", "run folder; without it, a new folder in runs/")),
  saveSteps: z.int().min(0).default(50).meta(about("Run", "steps between checkpoints; 0 for one at the end only")),
  saveTotalLimit: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Run", "checkpoints kept; older ones are deleted")),
  resumeFromCheckpoint: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Run", "checkpoint folder to go on from, or latest for the newest complete one of --output-dir")),
  loggingSteps: z.int().min(1).default(1).meta(about("Run", "steps between rows of metrics.jsonl")),
  logCompletions: z.boolean().default(true).meta(about("Run", "show samples while training")),
  logCompletionsSteps: z.int().min(1).default(5).meta(about("Run", "steps between samples that are shown")),
  numCompletionsToPrint: z.int().min(1).default(1).meta(about("Run", "samples shown each time")),

  numGenerations: z.int().min(1).default(8).meta(about("Sampling", "trajectories per prompt: the group")),
  promptsPerStep: z.int().min(1).default(16).meta(about("Sampling", "prompts per optimizer batch")),
  maxPromptLength: z.int().min(1).default(512).meta(about("Sampling", "tokens; a longer prompt is an error")),
  maxCompletionLength: z
    .int()
    .min(1)
    .default(512)
    .meta(about("Sampling", "tokens after the prompt, observations included")),
  temperature: positive.default(1).meta(about("Sampling", "divides the logits")),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .meta(about("Sampling", "nucleus: smallest set of tokens with this much probability")),
  topK: z.int().min(0).default(0).meta(about("Sampling", "most probable tokens kept; 0 keeps all")),
  minP: share.default(0).meta(about("Sampling", "least probability relative to the most probable token")),

  maxToolCalls: z
    .int()
    .min(0)
    .default(2)
    .meta(about("Tool", "Python blocks run per trajectory (N_max); 0 for no tool")),
  toolTimeout: positive.default(10).meta(about("Tool", "seconds of wall clock per block")),
  toolMemoryMb: z.int().min(32).max(4096).default(256).meta(about("Tool", "memory of one interpreter, in MiB")),
  maxToolResponseTokens: z.int().min(1).default(256).meta(about("Tool", "a longer output is replaced by a notice")),

  rewardScope: z
    .enum(["model-tokens", "full-text"])
    .default("model-tokens")
    .meta(about("Objective", "text the grader reads: only what the model wrote, or observations too")),
  advantageEstimator: z
    .enum(["grpo", "reinforce_pp_baseline"])
    .default("grpo")
    .meta(about("Objective", "baseline and scale of the advantages")),
  scaleRewards: z
    .enum(["group", "batch", "none"])
    .default("group")
    .meta(about("Objective", "standard deviation that divides grpo advantages")),
  lossType: z
    .enum(["dapo", "grpo", "dr_grpo"])
    .default("dapo")
    .meta(about("Objective", "dapo: mean over all tokens; grpo: over sequences; dr_grpo: sum over a constant length")),
  epsilon: z.number().min(0).lt(1).default(0.2).meta(about("Objective", "the ratio is clipped below 1 - epsilon")),
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
  numIterations: z.int().min(1).default(1).meta(about("Objective", "optimizer steps per batch of trajectories")),
  beta: z.number().min(0).default(0).meta(about("Objective", "weight of the KL penalty; only 0 for now")),
  groupFilterMin: share
    .nullable()
    .default(null)
    .meta(about("Objective", "groups whose mean reward is not above this are dropped")),
  groupFilterMax: share
    .nullable()
    .default(null)
    .meta(about("Objective", "groups whose mean reward is not below this are dropped")),

  learningRate: z.number().min(0).default(1e-6).meta(about("Optimizer", "AdamW's step size at its highest")),
  lrSchedulerType: z
    .enum(["constant", "linear", "cosine"])
    .default("constant")
    .meta(about("Optimizer", "course of the learning rate after warm-up, down to min-lr-rate at max-steps")),
  minLrRate: share.default(0).meta(about("Optimizer", "lowest learning rate, as a share of the highest")),
  warmupSteps: z.int().min(0).default(0).meta(about("Optimizer", "steps of linear rise from 0")),
  adamBeta1: z.number().min(0).lt(1).default(0.9).meta(about("Optimizer", "decay of the mean of gradients")),
  adamBeta2: z.number().min(0).lt(1).default(0.999).meta(about("Optimizer", "decay of the mean of squared gradients")),
  adamEpsilon: positive.default(1e-8).meta(about("Optimizer", "added to the root of the squared mean")),
  weightDecay: z.number().min(0).default(0).meta(about("Optimizer", "decoupled decay, of matrices only")),
  maxGradNorm: positive.nullable().default(1).meta(about("Optimizer", "global gradient norm is clipped to this")),

  evalSamples: z
    .int()
    .min(0)
    .default(64)
    .meta(about("Evaluation", "held-out problems of the table before and after; 0: no table")),
  evalDataset: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Evaluation", "JSONL file for that table; none: rows of --dataset")),

  adapter: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Device and memory", "hardware, lavapipe, swiftshader or a part of a name; none: the best there is")),
  toggles: z
    .enum(["safe", "fast"])
    .default("safe")
    .meta(about("Device and memory", "fast leaves out WebGPU's bounds and validation checks")),
  concurrency: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Device and memory", "sequences decoded at once; none: as many as a batch needs and memory allows")),
  runAhead: z
    .int()
    .min(0)
    .max(64)
    .default(4)
    .meta(about("Device and memory", "decode steps queued before their tokens are read back")),
  microBatchTokens: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Device and memory", "tokens per forward and backward pass; none: what memory allows")),
  gradientCheckpointing: z
    .boolean()
    .default(false)
    .meta(about("Device and memory", "keep one activation per layer and compute the rest again")),
});

/** Resolved options of `train`. */
export type TrainOptions = z.output<typeof trainOptions.schema>;
