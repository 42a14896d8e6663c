/** Options that several commands share. */
import * as z from "zod";
import { adapterTargets } from "../model/adapter";
import { optimizerKinds } from "../model/optimizer";
import { builtInRewards } from "../reward/functions/built-in";
import { gradingProfiles } from "../reward/verify";
import { engineNames } from "../sandbox/engine";
import { policyNames } from "../sandbox/policies";
import { promptTemplateNames } from "../text/templates";
import { about, aboutNames } from "./option-set";
import { presetNames } from "./preset-texts";

const positive = z.number().gt(0);
const share = z.number().min(0).max(1);

export const presetField = z
  .enum(presetNames)
  .nullable()
  .default(null)
  .meta(about("Run", "a set of options to start from"));

export const seedField = z.int().min(0).max(0xffffffff).default(42);

export const promptFields = {
  promptTemplate: z
    .enum(promptTemplateNames)
    .default("zero-tir")
    .meta(about("Model and data", "frame around each question; chat: the model's own, as one user message")),
  systemPrompt: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "system message before the question, with --prompt-template chat")),
};

/** Which rows of a data set are meant, and where in them question and answer stand. */
export const datasetFields = {
  datasetSplit: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "split of --dataset, such as train or test; none: what suits the command")),
  datasetPromptColumn: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "column of the question, dots for nesting; none: found by the usual names")),
  datasetAnswerColumn: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "column of the right answer, as reward_model.ground_truth; none: found")),
  offline: z.boolean().default(false).meta(about("Model and data", "never fetch a data set or a model")),
};

/** How tokens are drawn, and how many. */
export const samplingFields = {
  maxPromptLength: z.int().min(1).default(512).meta(about("Sampling", "tokens; a longer prompt is an error")),
  maxCompletionLength: z
    .int()
    .min(1)
    .default(512)
    .meta(about("Sampling", "tokens after the prompt, observations included")),
  // Below, 1 / temperature nears the end of f32.
  temperature: z.number().min(1e-6).default(1).meta(about("Sampling", "divides the logits")),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .meta(about("Sampling", "nucleus: smallest set of tokens with this much probability")),
  topK: z.int().min(0).default(0).meta(about("Sampling", "most probable tokens kept; 0 keeps all")),
  minP: share.default(0).meta(about("Sampling", "least probability relative to the most probable token")),
};

/** The Python tool and its limits. */
export const toolFields = {
  maxToolCalls: z
    .int()
    .min(0)
    .default(2)
    .meta(about("Tool", "Python blocks run per trajectory (N_max); 0 for no tool")),
  toolTimeout: z.number().min(0.001).max(3600).default(10).meta(about("Tool", "seconds of wall clock per block")),
  toolMemoryMb: z.int().min(32).max(4096).default(256).meta(about("Tool", "memory of one interpreter, in MiB")),
  maxToolResponseTokens: z
    .int()
    .min(1)
    .default(256)
    .meta(about("Tool", "policy zerotir: a longer output is replaced by a notice")),
  toolEngine: z
    .enum(engineNames)
    .default("wasi")
    .meta(about("Tool", "where Python runs: shipped sandbox, service at --tool-url, bubblewrap, nowhere")),
  toolUrl: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Tool", "engine http: address of a service that speaks SandboxFusion's protocol")),
  toolPackages: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Tool", "engine wasi: folder or zip of pure Python packages, imported before each block")),
  toolPolicy: z
    .enum(policyNames)
    .default("zerotir")
    .meta(about("Tool", "how an output is cut and framed; but for zerotir, each has limits of its own")),
};

export const gradingProfileField = z
  .enum(gradingProfiles)
  .nullable()
  .default(null)
  .meta(about("Objective", "rules for reading and comparing answers; none: those of the reward function, else math"));

export const rewardTimeoutField = z
  .number()
  .min(0.001)
  .max(3600)
  .default(10)
  .meta(about("Objective", "seconds for grading a trajectory, or a group by a function of your own"));

/** What is rewarded. */
export const rewardFields = {
  rewardFuncs: z
    .array(z.string().min(1))
    .min(1)
    .default(["accuracy"])
    .meta(
      aboutNames(
        "Objective",
        `what is rewarded: names among ${Object.keys(builtInRewards).join(", ")}, or file.mjs, or file.mjs:export`,
      ),
    ),
  rewardWeights: z
    .array(z.number())
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Objective", "weight of each reward function in the sum; none: all 1")),
  softPunishCache: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(
      about(
        "Objective",
        "soft_overlong_punishment: tokens before --max-completion-length where it begins; none: a fifth",
      ),
    ),
};

export const rewardScopeField = z
  .enum(["model-tokens", "full-text"])
  .default("model-tokens")
  .meta(about("Objective", "text the grader reads: only what the model wrote, or observations too"));

/** How the weights lie in memory. */
export const dtypeFields = {
  dtype: z
    .enum(["float32", "float16", "bfloat16", "int8", "int4"])
    .default("float32")
    .meta(about("Model and data", "how weight matrices lie in memory; int8 and int4 cannot be trained themselves")),
};

/** Low-rank adapters, in the words of TRL's ModelConfig. */
export const peftFields = {
  usePeft: z.boolean().default(false).meta(about("Adapter", "train a LoRA adapter over the frozen model")),
  loraR: z.int().min(1).nullable().default(null).meta(about("Adapter", "rank; none: that of the adapter, or 16")),
  loraAlpha: positive
    .nullable()
    .default(null)
    .meta(about("Adapter", "scale, divided by the rank; none: that of the adapter, or 32")),
  loraTargetModules: z
    .array(z.enum(["all-linear", ...adapterTargets]))
    .min(1)
    .nullable()
    .default(null)
    .meta(
      aboutNames(
        "Adapter",
        `all-linear, or some of ${adapterTargets.join(", ")}; none: those of the adapter, or all-linear`,
      ),
    ),
  useRslora: z.boolean().default(false).meta(about("Adapter", "divide alpha by the square root of the rank")),
  loraDropout: z.number().min(0).max(1).default(0).meta(about("Adapter", "only 0 is implemented")),
};

/** AdamW and its schedule. */
export const optimizerFields = {
  optim: z
    .enum(optimizerKinds)
    .default("adamw")
    .meta(about("Optimizer", "moments of AdamW: f32, or adamw_8bit: a quarter of the memory")),
  minLrRate: share.default(0).meta(about("Optimizer", "lowest learning rate, as a share of the highest")),
  warmupSteps: z.int().min(0).default(0).meta(about("Optimizer", "steps of linear rise from 0")),
  adamBeta1: z.number().min(0).lt(1).default(0.9).meta(about("Optimizer", "decay of the mean of gradients")),
  adamBeta2: z.number().min(0).lt(1).default(0.999).meta(about("Optimizer", "decay of the mean of squared gradients")),
  adamEpsilon: positive.default(1e-8).meta(about("Optimizer", "added to the root of the squared mean")),
  weightDecay: z.number().min(0).default(0).meta(about("Optimizer", "decoupled decay, of matrices only")),
  maxGradNorm: positive.nullable().default(1).meta(about("Optimizer", "global gradient norm is clipped to this")),
};

/** The course of the learning rate in training on given texts. */
export const scheduleFields = {
  lrSchedulerType: z
    .enum(["constant", "linear", "cosine", "wsd"])
    .default("cosine")
    .meta(about("Optimizer", "course of the learning rate after warm-up; wsd: constant, then down at the end")),
  lrDecayShare: positive.max(1).default(0.2).meta(about("Optimizer", "share of the steps in which wsd comes down")),
  lrDecaySteps: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .meta(about("Optimizer", "steps in which wsd comes down, instead of a share; 0: constant to the end")),
};

/** Where the arithmetic is done. */
export const deviceFields = {
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
};

/** How many sequences are decoded at once, and how far ahead. */
export const decodingFields = {
  concurrency: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(
      about("Device and memory", "sequences decoded at once; none: all of a batch, at most 256 in sample and eval"),
    ),
  runAhead: z
    .int()
    .min(0)
    .max(64)
    .nullable()
    .default(null)
    .meta(
      about("Device and memory", "decode steps queued before their tokens are read back; none: 1 on a CPU, else 4"),
    ),
};

/** Memory that a run is to fit. */
export const gpuMemoryFields = {
  gpuMemory: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(
      about(
        "Device and memory",
        "memory of the GPU, such as 24GB: sizes that are not given are chosen to fit it; none: small ones",
      ),
    ),
};

/** How much of a batch is on the device at once. */
export const memoryFields = {
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
};

/** Run folder, checkpoints, log. */
export const runFields = {
  seed: seedField.meta(about("Run", "seed of prompts and sampling; the same seed gives the same run")),
  outputDir: z.string().min(1).nullable().default(null).meta(about("Run", "run folder; none: a new folder in runs/")),
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
    .meta(about("Run", "checkpoint folder to go on from; latest or best: that one of --output-dir")),
  reportTo: z
    .enum(["none", "tensorboard"])
    .default("none")
    .meta(about("Run", "tensorboard: events.out.tfevents.* in the run folder too")),
  loggingSteps: z.int().min(1).default(1).meta(about("Run", "steps between rows of metrics.jsonl")),
};
