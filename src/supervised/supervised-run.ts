/** The loop of training on given texts (pretrain, sft, dpo): a batch that follows from the step, one optimizer step, metrics, checkpoints. */
import type { AdamWStep } from "../../kernels/optimizer";
import { UserError } from "../base/errors";
import { parameterCount } from "../model/config";
import type { FolderReader } from "../model/folder";
import { Optimizer } from "../model/optimizer";
import { TrainingPass } from "../model/policy-pass";
import type { PretrainOptions } from "../options/supervised";
import { saveTraining } from "../session/checkpoint";
import type { TrainEvents, TrainSummary } from "../session/events";
import type { TrainingHost } from "../session/host";
import { LOGITS_BYTES, type LoadedModel, MOST_ROWS, PAGE_SIZE } from "../session/loaded-model";
import type { MetricsRow } from "../session/metrics";
import { goOn } from "../session/next-commands";
import { adamwSettings, learningRateAt } from "../session/optimizer-settings";
import { openRunFolder, restoreState } from "../session/resume";

/** Options that every command of this kind has. */
export type SupervisedOptions = Pick<
  PretrainOptions,
  | "resumeFromCheckpoint"
  | "seed"
  | "saveSteps"
  | "saveTotalLimit"
  | "loggingSteps"
  | "maxLength"
  | "microBatchTokens"
  | "gradientCheckpointing"
  | "learningRate"
  | "lrSchedulerType"
  | "lrDecayShare"
  | "lrDecaySteps"
  | "minLrRate"
  | "warmupSteps"
  | "adamBeta1"
  | "adamBeta2"
  | "adamEpsilon"
  | "weightDecay"
  | "maxGradNorm"
  | "optim"
> & { readonly outputDir: string; readonly maxSteps: number };

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
  readonly model: string;
  readonly dataset: string;
  /** One line on a step's work. */
  readonly batch: string;
  readonly notes?: readonly string[];
  /** Accumulates the gradient of step `step` (from 1) and updates the weights. Its batch follows from the seed and the step alone. */
  step(step: number, settings: Omit<AdamWStep, "step">): Promise<SupervisedStep>;
  /** Figures on held-out data, by name. */
  evaluate(): Promise<Readonly<Record<string, number>>>;
  /** What to try after a whole run. */
  next(checkpoint: string): TrainSummary["next"];
  destroy(): void;
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
  options: Pick<SupervisedOptions, "microBatchTokens" | "maxLength" | "gradientCheckpointing" | "optim">,
  batchRows: number,
  sequences: number,
): SupervisedTrainer {
  const optimizer = new Optimizer(loaded.model, options.optim);
  const pass = new TrainingPass(loaded.model, {
    rows: Math.max(Math.min(options.microBatchTokens ?? MOST_ROWS, batchRows), options.maxLength),
    sequences,
    sequenceLength: options.maxLength,
    pageSize: PAGE_SIZE,
    recompute: options.gradientCheckpointing,
    logitsBytes: LOGITS_BYTES,
  });
  return { loaded, pass, optimizer };
}

/**
 * Trains from the step of the checkpoint, or from the first, and returns the closing summary. An abort ends the run after saving.
 * @throws UserError when the gradient is no longer finite
 */
export async function runSupervised(
  { loaded, pass, optimizer }: SupervisedTrainer,
  task: SupervisedTask,
  run: {
    readonly options: SupervisedOptions;
    readonly configYaml: string;
    readonly host: TrainingHost;
    readonly events: TrainEvents;
    readonly resumeFolder: FolderReader | undefined;
    readonly signal: AbortSignal | undefined;
    /** Milliseconds of performance.now() at the start of the command. */
    readonly begun: number;
  },
): Promise<TrainSummary> {
  const { options, events, signal } = run;
  const state = await restoreState(run.resumeFolder, optimizer, options);
  const firstStep = state?.global_step ?? 0;
  const folder = await openRunFolder(options, run.configYaml, run.host, state);
  events.onPlan({
    command: task.command,
    model: task.model,
    parameters: parameterCount(loaded.model.config),
    adapter: loaded.model.gpu.profile.adapterName,
    dataset: task.dataset,
    firstStep,
    maxSteps: options.maxSteps,
    batch: task.batch,
    runFolder: folder.path,
    ...(task.notes === undefined ? {} : { notes: task.notes }),
  });
  let step = firstStep;
  const evaluate = () => {
    events.onPhase("evaluate", { step });
    return task.evaluate();
  };
  const before = await evaluate();
  let numTokens = state?.num_tokens ?? 0;
  let lastSaved: string | undefined = run.resumeFolder?.path;
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
  const due = () => step === options.maxSteps || (options.saveSteps > 0 && step % options.saveSteps === 0);
  while (step < options.maxSteps && !signal?.aborted) {
    const stepBegun = performance.now();
    events.onPhase("update", { step: step + 1 });
    const learningRate = learningRateAt(schedule(options), step + 1);
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
  if (!due() && step > firstStep) await save();
  const after = await evaluate();
  const interrupted = step < options.maxSteps;
  const summary: TrainSummary = {
    outcome: interrupted ? "interrupted" : "finished",
    step,
    seconds: (performance.now() - run.begun) / 1000,
    table: Object.entries(before).map(([name, value]) => ({
      name,
      before: value,
      after: after[name] ?? null,
      unit: "number",
    })),
    runFolder: folder.path,
    ...(lastSaved === undefined ? {} : { checkpoint: lastSaved }),
    next: lastSaved === undefined ? [] : interrupted ? goOn(task.command, folder.path) : task.next(lastSaved),
  };
  events.onFinish(summary);
  task.destroy();
  for (const part of [pass, optimizer, loaded.model]) part.destroy();
  return summary;
}

function schedule(options: SupervisedOptions) {
  return {
    name: options.lrSchedulerType,
    peak: options.learningRate,
    warmupSteps: options.warmupSteps,
    totalSteps: options.maxSteps,
    finalFraction: options.minLrRate,
    decaySteps: options.lrDecaySteps ?? options.maxSteps * options.lrDecayShare,
  };
}
