/**
 * The loop of training on given texts (pretrain, sft, dpo): a batch that follows from the step, one optimizer step,
 * metrics, checkpoints.
 */
import type { AdamWStep } from "../../kernels/adamw";
import { Closers } from "../base/closers";
import { UserError } from "../base/errors";
import { must } from "../base/must";
import type { GpuContext } from "../gpu/context";
import { parameterCount } from "../model/config";
import type { FolderReader } from "../model/folder";
import { Optimizer } from "../model/optimizer";
import { TrainingPass } from "../model/policy-pass";
import type { DtypeOptions, PeftOptions } from "../options/fields/adapter";
import type { DeviceOptions, MemoryOptions } from "../options/fields/device-and-memory";
import type { OptimizerOptions, ScheduleOptions } from "../options/fields/optimizer";
import type { RunOptions } from "../options/fields/run";
import { saveTraining } from "../session/checkpoint";
import { downloadProgress, type TrainEvents, type TrainSummary } from "../session/events";
import type { TrainingHost } from "../session/host";
import { LOGITS_BYTES, type LoadedModel, loadModel, MOST_ROWS, PAGE_SIZE } from "../session/loaded-model";
import type { MetricsRow } from "../session/metrics";
import { goOn } from "../session/next-commands";
import { adamwSettings, learningRateAt } from "../session/optimizer-settings";
import type { RowSource } from "../session/questions";
import { findResume, openRunFolder, restoreState } from "../session/resume";

/** Options that every command of this kind has; the run folder has been decided. */
export type SupervisedOptions = RunOptions &
  OptimizerOptions &
  ScheduleOptions &
  MemoryOptions &
  DeviceOptions &
  DtypeOptions &
  PeftOptions & {
    readonly outputDir: string;
    readonly offline: boolean;
    readonly learningRate: number;
    readonly maxLength: number;
  };

/** One run, as its caller gives it. */
export interface SupervisedRun<Options extends SupervisedOptions> {
  readonly options: Options;
  /** The options as a text, for the run folder. */
  readonly configYaml: string;
  readonly host: TrainingHost;
  readonly events: TrainEvents;
  readonly signal: AbortSignal | undefined;
}

/** What a command opens its model and its rows with. */
export interface Opening {
  readonly gpu: GpuContext;
  /** The checkpoint to go on from; undefined for a new run. */
  readonly resumeFolder: FolderReader | undefined;
  /** A folder by the name or path of a model. */
  readonly find: (nameOrPath: string) => FolderReader;
  /** Closes what is kept there when the run ends, and when a later opening fails. */
  readonly closers: Closers;
}

/** What limits a sequence, in the words of an error. */
export const LENGTHS = "--max-length is";

/** The model that is trained: that of the checkpoint to go on from, or else the one of that name. */
export async function openTrained(
  { gpu, resumeFolder, find, closers }: Opening,
  options: SupervisedOptions,
  name: string | null,
): Promise<LoadedModel> {
  const base = resumeFolder === undefined ? must(name, "the model's name") : undefined;
  const kept = { dtype: options.dtype, training: { ...options, base } };
  const folder = resumeFolder ?? find(must(name, "the model's name"));
  const loaded = await loadModel(gpu, folder, find, kept, options.maxLength, LENGTHS);
  return closers.keep(loaded, ({ model }) => model.destroy());
}

/** What one step did. */
export interface SupervisedStep {
  readonly gradNorm: number;
  /** Tokens of the step, prompts included. */
  readonly tokens: number;
  /** Further figures of the step's row. */
  readonly metrics: Omit<MetricsRow, "step">;
}

/** What differs between the commands. */
export interface SupervisedTask {
  readonly command: "pretrain" | "sft" | "dpo";
  readonly trainer: SupervisedTrainer;
  readonly model: string;
  readonly dataset: string;
  readonly maxSteps: number;
  /** One line on a step's work. */
  readonly batch: string;
  /**
   * Accumulates the gradient of step `step` (from 1) and updates the weights. Its batch follows from the seed and the
   * step alone.
   */
  step(step: number, settings: Omit<AdamWStep, "step">): Promise<SupervisedStep>;
  /** Figures on held-out data, by name. @throws the signal's reason, once it is aborted */
  evaluate(signal: AbortSignal | undefined): Promise<Readonly<Record<string, number>>>;
  /** What to try after a whole run. */
  next(checkpoint: string): TrainSummary["next"];
}

/** The model with what trains it. */
export interface SupervisedTrainer {
  readonly loaded: LoadedModel;
  readonly pass: TrainingPass;
  readonly optimizer: Optimizer;
}

/** @param batchRows most rows of a step, @param sequences most sequences of a micro-batch */
export function createSupervisedTrainer(
  loaded: LoadedModel,
  options: SupervisedOptions,
  batchRows: number,
  sequences: number,
  closers: Closers,
): SupervisedTrainer {
  const optimizer = closers.keep(new Optimizer(loaded.model, options.optim), (each) => each.destroy());
  const pass = closers.keep(
    new TrainingPass(loaded.model, {
      rows: Math.max(Math.min(options.microBatchTokens ?? MOST_ROWS, batchRows), options.maxLength),
      sequences,
      sequenceLength: options.maxLength,
      pageSize: PAGE_SIZE,
      recompute: options.gradientCheckpointing,
      logitsBytes: LOGITS_BYTES,
    }),
    (each) => each.destroy(),
  );
  return { loaded, pass, optimizer };
}

/**
 * Steps that the rows of a data set make.
 *
 * @throws UserError when rows without end are to be passed over a number of times
 */
export function stepCount(
  options: {
    readonly maxSteps: number | null;
    readonly numTrainEpochs: number;
    readonly perDeviceTrainBatchSize: number;
  },
  { name, passLength }: Pick<RowSource<unknown>, "name" | "passLength">,
): number {
  if (options.maxSteps !== null) return options.maxSteps;
  if (!Number.isFinite(passLength))
    throw new UserError(`--dataset ${name} has no end, so --num-train-epochs means nothing; give --max-steps`);
  return Math.ceil((options.numTrainEpochs * passLength) / options.perDeviceTrainBatchSize);
}

/** The rows of step `step`, counted from 1. */
export function rowsOfStep<Row>(source: RowSource<Row>, step: number, batchSize: number): Row[] {
  return Array.from({ length: batchSize }, (_, index) => source.train((step - 1) * batchSize + index));
}

/**
 * Opens, then trains from the step of the checkpoint, or from the first, and returns the closing summary. An abort ends
 * the run after saving.
 *
 * @throws UserError for what the user can repair, and when the gradient is no longer finite; everything is closed then
 * too
 */
export async function runSupervised<Options extends SupervisedOptions>(
  run: SupervisedRun<Options>,
  open: (opening: Opening) => Promise<SupervisedTask>,
): Promise<TrainSummary> {
  const begun = performance.now();
  const { options, host, events, signal } = run;
  const closers = new Closers();
  try {
    const resumeFolder = await findResume(options, host, events);
    const gpu = await host.openGpu(options);
    events.onPhase("setup", { step: 0, waitingFor: "the model" });
    const fetching = { offline: options.offline, onProgress: downloadProgress(events), signal };
    const find = (nameOrPath: string) => host.modelFolder(nameOrPath, fetching);
    const task = await open({ gpu, resumeFolder, find, closers });
    return await train(run, task, resumeFolder, begun);
  } finally {
    await closers.close();
  }
}

/** @param begun milliseconds of performance.now() at the start of the command */
async function train(
  { options, configYaml, host, events, signal }: SupervisedRun<SupervisedOptions>,
  task: SupervisedTask,
  resumeFolder: FolderReader | undefined,
  begun: number,
): Promise<TrainSummary> {
  const { maxSteps } = task;
  const { loaded, optimizer } = task.trainer;
  const state = await restoreState(resumeFolder, optimizer, { seed: options.seed, maxSteps });
  const firstStep = state?.global_step ?? 0;
  const folder = await openRunFolder(options, configYaml, host, state);
  events.onPlan({
    command: task.command,
    model: task.model,
    parameters: parameterCount(loaded.model.config),
    adapter: loaded.model.gpu.profile.adapterName,
    dataset: task.dataset,
    firstStep,
    maxSteps,
    batch: task.batch,
    runFolder: folder.path,
  });
  let step = firstStep;
  /** The figures; null when the run was stopped before they were there. */
  const evaluate = async () => {
    if (signal?.aborted) return null;
    events.onPhase("evaluate", { step });
    try {
      return await task.evaluate(signal);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return null;
      throw error;
    }
  };
  const before = await evaluate();
  let numTokens = state?.num_tokens ?? 0;
  let lastSaved: string | undefined = resumeFolder?.path;
  const save = async () => {
    events.onPhase("save", { step });
    const fields = { global_step: step, num_tokens: numTokens, seed: options.seed };
    lastSaved = await folder.saveCheckpoint(
      step,
      (writer) => saveTraining(writer, loaded, optimizer, fields),
      options.saveTotalLimit,
    );
    events.onCheckpoint({ step, path: lastSaved });
  };
  const due = () => step === maxSteps || (options.saveSteps > 0 && step % options.saveSteps === 0);
  while (step < maxSteps && !signal?.aborted) {
    const stepBegun = performance.now();
    events.onPhase("update", { step: step + 1 });
    const learningRate = learningRateAt(schedule(options, maxSteps), step + 1);
    const result = await task.step(step + 1, adamwSettings(options, learningRate));
    if (!Number.isFinite(result.gradNorm))
      throw new UserError(
        `${task.command} diverged at step ${step + 1}: the gradient norm is ${result.gradNorm}; use a smaller --learning-rate than ${options.learningRate}`,
      );
    step++;
    numTokens += result.tokens;
    const seconds = (performance.now() - stepBegun) / 1000;
    const row = {
      ...result.metrics,
      step,
      grad_norm: result.gradNorm,
      learning_rate: learningRate,
      num_tokens: numTokens,
      step_time: seconds,
      "perf/throughput": result.tokens / seconds,
    };
    if (step % options.loggingSteps === 0) await folder.logMetrics(row);
    events.onStep(row);
    if (due()) await save();
  }
  const interrupted = step < maxSteps;
  if (interrupted && !due() && step > firstStep) await save();
  const after = interrupted ? null : await evaluate();
  const summary: TrainSummary = {
    outcome: interrupted ? "interrupted" : "finished",
    step,
    seconds: (performance.now() - begun) / 1000,
    table: Object.entries(before ?? {}).map(([name, value]) => ({
      name,
      before: value,
      after: after?.[name] ?? null,
      unit: "number",
    })),
    runFolder: folder.path,
    ...(lastSaved === undefined ? {} : { checkpoint: lastSaved }),
    next: lastSaved === undefined ? [] : interrupted ? goOn(task.command, folder.path) : task.next(lastSaved),
  };
  events.onFinish(summary);
  return summary;
}

function schedule(options: SupervisedOptions, totalSteps: number) {
  return {
    name: options.lrSchedulerType,
    peak: options.learningRate,
    warmupSteps: options.warmupSteps,
    totalSteps,
    finalFraction: options.minLrRate,
    decaySteps: options.lrDecaySteps ?? totalSteps * options.lrDecayShare,
  };
}
