/**
 * Memory plan: the GPU buffers of a run, known before anything is loaded. The classes of the run are built in a context
 * that only counts, so the plan and the run cannot differ. And the largest sizes that fit a given memory.
 */

import { UserError } from "../base/errors";
import { memoryText } from "../base/text";
import type { GpuContext } from "../gpu/context";
import { DESKTOP_LIMITS, dryContext, plannedProfile } from "../gpu/dry";
import type { DeviceLimits } from "../gpu/profile";
import type { ModelConfig } from "../model/config";
import { type FolderReader, readModelConfig } from "../model/folder";
import { Model, type ModelOptions } from "../model/model";
import { type DtypeOptions, type PeftOptions, trainedModelOptions } from "../options/fields/adapter";
import { hasSharedCritic } from "../options/fields/critic";
import { parseMemory } from "../options/fields/device-and-memory";
import type { TrainOptions } from "../options/train";
import { createDecoder, MOST_ROWS } from "../session/loaded-model";
import { createLearner } from "./learner";

/** What a plan depends on beside the model. */
export type MemoryOptions = Pick<
  TrainOptions,
  | "maxPromptLength"
  | "maxCompletionLength"
  | "numGenerations"
  | "promptsPerStep"
  | "concurrency"
  | "microBatchTokens"
  | "gradientCheckpointing"
  | "optim"
  | "beta"
  | "advantageEstimator"
  | "critic"
>;

/** How the planned model is kept. */
type PlannedModel = DtypeOptions & PeftOptions;

/** The sizes that a plan chooses. */
export type MemorySizes = Pick<MemoryOptions, "concurrency" | "microBatchTokens" | "gradientCheckpointing">;

/** Kinds of GPU memory, in the order in which they are shown, and how their buffers are labelled. */
const KINDS = [
  ["reference", /^reference/],
  ["critic", /^critic/],
  ["weights", /^(weights|f32 weights|rotations)/],
  ["adapter", /^adapter/],
  ["gradients", /^gradients/],
  ["optimizer", /^(AdamW|gradient norm)/],
  ["activations", /^(activations|gradient workspace|(training|forward) \()/],
  ["KV pages", /: (key|value) pages/],
  ["LM head", / head \(/],
  ["other", /^/],
] as const;

export type MemoryKind = (typeof KINDS)[number][0];

export interface MemoryPlan {
  /** Bytes of each kind, all kinds in order. */
  readonly bytes: Readonly<Record<MemoryKind, number>>;
  readonly total: number;
  readonly sizes: MemorySizes;
}

/** Sums a context's live buffers by kind. */
export function memoryByKind(byLabel: ReadonlyMap<string, number>): Record<MemoryKind, number> {
  const bytes = Object.fromEntries(KINDS.map(([kind]) => [kind, 0])) as Record<MemoryKind, number>;
  for (const [label, size] of byLabel) {
    const kind = KINDS.find(([, pattern]) => pattern.test(label))?.[0] ?? "other";
    bytes[kind] += size;
  }
  return bytes;
}

/**
 * The plan of a training run with these options.
 * @throws UserError when one buffer is larger than the device can bind
 */
export function planMemory(
  config: ModelConfig,
  modelOptions: ModelOptions,
  options: MemoryOptions,
  limits: DeviceLimits,
): MemoryPlan {
  const gpu = dryContext(plannedProfile(limits));
  const trained = hasSharedCritic(options) ? { ...config, valueHead: "shared" as const } : config;
  const model = new Model(gpu, trained, options.maxPromptLength + options.maxCompletionLength, modelOptions);
  const { pass } = createLearner(model, options);
  createDecoder({ model }, options, trajectoriesOf(options));
  const { concurrency, gradientCheckpointing } = options;
  return {
    bytes: memoryByKind(gpu.allocator.bytesByLabel()),
    total: gpu.allocator.allocatedBytes,
    sizes: {
      concurrency: Math.min(concurrency ?? trajectoriesOf(options), trajectoriesOf(options)),
      microBatchTokens: pass.shape.rows,
      gradientCheckpointing,
    },
  };
}

/** Part of the memory that is planned with: the rest is the driver's, for programs, uploads and readbacks. */
const USABLE = 0.92;
/** Of what is left beside the smallest plan, at most this much goes to decoding; the rest to the micro-batch. */
const DECODING_SHARE = 0.6;
/** Micro-batches are tried in steps of this many rows. */
const ROW_STEP = 64;

/**
 * The largest sizes that fit `gpuBytes`: activations are computed again only where keeping them leaves no room for two
 * sequences, then as many sequences are decoded at once as fit a share of what is left, then the micro-batch takes the
 * rest, and more sequences what that leaves. Sizes that the options name are kept.
 * @throws UserError when even the smallest plan does not fit, with what it would need
 */
export function fitMemory(
  config: ModelConfig,
  modelOptions: ModelOptions,
  options: MemoryOptions,
  limits: DeviceLimits,
  gpuBytes: number,
): MemoryPlan {
  const usable = Math.floor(gpuBytes * USABLE);
  const sequence = options.maxPromptLength + options.maxCompletionLength;
  const plan = (sizes: MemorySizes) => planMemory(config, modelOptions, { ...options, ...sizes }, limits);
  const smallest = (gradientCheckpointing: boolean): MemorySizes => ({
    concurrency: options.concurrency ?? 1,
    microBatchTokens: options.microBatchTokens ?? sequence,
    gradientCheckpointing,
  });
  const room: MemorySizes = {
    ...smallest(options.gradientCheckpointing),
    microBatchTokens: options.microBatchTokens ?? 2 * sequence,
  };
  const recompute = options.gradientCheckpointing || !fits(() => plan(room), usable);
  const least = plan(smallest(recompute));
  if (least.total > usable)
    throw new UserError(
      `this run needs at least ${gibibytes(least.total / USABLE)} of GPU memory and ${gibibytes(gpuBytes)} are given: take --use-peft or a smaller --dtype, a smaller model, or shorter --max-prompt-length and --max-completion-length`,
    );
  const decoding = least.total + (usable - least.total) * DECODING_SHARE;
  const sizes = (concurrency: number, microBatchTokens: number): MemorySizes => ({
    concurrency: options.concurrency ?? concurrency,
    microBatchTokens: options.microBatchTokens ?? microBatchTokens,
    gradientCheckpointing: recompute,
  });
  const trajectories = trajectoriesOf(options);
  const first = largest(1, trajectories, (count) => fits(() => plan(sizes(count, sequence)), decoding));
  const mostRows = Math.max(sequence, Math.min(MOST_ROWS, trajectories * sequence));
  const steps = largest(0, Math.ceil((mostRows - sequence) / ROW_STEP), (count) =>
    fits(() => plan(sizes(first, Math.min(mostRows, sequence + count * ROW_STEP))), usable),
  );
  const rows = Math.min(mostRows, sequence + steps * ROW_STEP);
  // The micro-batch has an upper end, and may have left something.
  const concurrency = largest(first, trajectories, (count) => fits(() => plan(sizes(count, rows)), usable));
  return plan(sizes(concurrency, rows));
}

/**
 * The plan of a model folder, of which only config.json is read, on a GPU with the given largest binding.
 * @throws UserError when the folder has no usable config.json, or the run does not fit
 */
export async function planFor(
  folder: FolderReader,
  options: MemoryOptions & PlannedModel & { readonly gpuMemory: string | null; readonly maxBinding: string },
): Promise<MemoryPlan> {
  const config = await readModelConfig(folder);
  const binding = parseMemory(options.maxBinding);
  const limits = {
    ...DESKTOP_LIMITS,
    maxStorageBufferBindingSize: binding,
    maxBufferSize: Math.max(binding, DESKTOP_LIMITS.maxBufferSize),
  };
  return options.gpuMemory === null
    ? planMemory(config, trainedModelOptions(options), options, limits)
    : fitMemory(config, trainedModelOptions(options), options, limits, parseMemory(options.gpuMemory));
}

/** The sizes that {@link fitMemory} gives for the model of a folder on this GPU with the memory of `--gpu-memory`. */
export async function sizesFor(
  folder: FolderReader,
  options: MemoryOptions & PlannedModel & Pick<TrainOptions, "gpuMemory">,
  gpu: GpuContext,
): Promise<MemorySizes> {
  const config = await readModelConfig(folder);
  const modelOptions = trainedModelOptions(options);
  return fitMemory(config, modelOptions, options, gpu.profile.limits, parseMemory(options.gpuMemory ?? "")).sizes;
}

/** Whether a plan can be made and is small enough. */
function fits(plan: () => MemoryPlan, bytes: number): boolean {
  try {
    return plan().total <= bytes;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** The largest number of low .. high for which `isGood` holds, which holds for `low` and, once false, stays false. */
function largest(low: number, high: number, isGood: (value: number) => boolean): number {
  let good = low;
  let bad = high + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isGood(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

function trajectoriesOf(options: Pick<MemoryOptions, "numGenerations" | "promptsPerStep">): number {
  return Math.max(options.numGenerations * options.promptsPerStep, 1);
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** Bytes by kind in one line: `weights 0.9 GiB, gradients ...`. Kinds below a hundredth of the whole are left out. */
export function memoryLine(bytes: Readonly<Record<MemoryKind, number>>): string {
  const total = Object.values(bytes).reduce((sum, value) => sum + value, 0);
  const parts = KINDS.flatMap(([kind]) => (bytes[kind] * 100 < total ? [] : [`${kind} ${memoryText(bytes[kind])}`]));
  return `${memoryText(total)} of GPU buffers: ${parts.join(", ")}`;
}
