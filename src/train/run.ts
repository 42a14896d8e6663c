/**
 * A run of reinforcement learning: everything that it holds open, what is opened before the first step, and in what
 * order.
 */
import { Closers } from "../base/closers";
import { parameterCount } from "../model/config";
import { configFolder } from "../model/peft";
import { hasSharedCritic } from "../options/fields/critic";
import { type TrainOptions, trainOptions } from "../options/train";
import type { BestCheckpoint } from "../session/best-checkpoint";
import { type Collector, checkPrompts } from "../session/collect";
import { downloadProgress, type TrainEvents } from "../session/events";
import type { TrainingHost } from "../session/host";
import { createDecoder, eosTokenIds, type LoadedModel, loadModel } from "../session/loaded-model";
import type { MetricsRow } from "../session/metrics";
import { promptFrame } from "../session/prompt-frame";
import { openQuestions, type QuestionRow, type QuestionSource } from "../session/questions";
import { findResume, openRunFolder, restoreState, tellChanges } from "../session/resume";
import type { RunFolder } from "../session/run-folder";
import { type BatchSettings, collectBatch } from "./batch";
import { BatchesAhead } from "./batches-ahead";
import { batchAhead, restoreLearner, type StepBoundary } from "./checkpoint";
import { HeldOutEvaluation } from "./evaluation";
import { Health } from "./health";
import { createLearner, type Learner, openLearner } from "./learner";
import { memoryByKind, memoryLine, sizesFor } from "./memory-plan";
import { QuestionSelection } from "./question-selection";

/** Options of a run whose folder has been decided. */
export type PlacedTrainOptions = Omit<TrainOptions, "outputDir"> & { readonly outputDir: string };

export interface Run {
  readonly options: PlacedTrainOptions;
  readonly events: TrainEvents;
  readonly loaded: LoadedModel;
  readonly collector: Collector;
  readonly learner: Learner;
  readonly selection: QuestionSelection;
  readonly batches: BatchesAhead;
  readonly folder: RunFolder;
  readonly evaluation: HeldOutEvaluation;
  readonly health: Health;
  readonly signal: AbortSignal | undefined;
  /** Steps that were done before this process. */
  readonly firstStep: number;
  /** What a checkpoint of the last finished step holds beside model and moments. */
  boundary: StepBoundary;
  /** Tokens seen since the first step. */
  numTokens: number;
  /** Steps in a row in which every update was left out. */
  skippedSteps: number;
  /** Of the last finished step. */
  lastRow: MetricsRow | undefined;
  lastSaved: string | undefined;
  best: BestCheckpoint | undefined;
  /** Whether the metric of the best checkpoint was looked for already. */
  saidMissing: boolean;
  /** Closes all of it, in the opposite order of its opening. */
  close(): Promise<void>;
}

/**
 * Opens a run: a new one, or the one of `--resume-from-checkpoint`. All that can be wrong with options and files is
 * found before the run folder is touched.
 *
 * @param configYaml the options as a text, for the run folder
 * @throws UserError for what the user can repair; everything is closed then
 */
export async function openRun(
  options: PlacedTrainOptions,
  configYaml: string,
  host: TrainingHost,
  events: TrainEvents,
  signal: AbortSignal | undefined,
): Promise<Run> {
  const closers = new Closers();
  try {
    const resumeFolder = await findResume(options, host, events);
    const questions = await questionsOf(options, host, events, signal);
    const gpu = await host.openGpu(options);
    events.onPhase("setup", { step: 0, waitingFor: "the model" });
    const find = (name: string) =>
      host.modelFolder(name, { offline: options.offline, onProgress: downloadProgress(events), signal });
    const modelFolder = resumeFolder ?? find(options.modelNameOrPath);
    const sized =
      options.gpuMemory === null
        ? options
        : { ...options, ...(await sizesFor(await configFolder(modelFolder, find), options, gpu)) };
    const loaded = closers.keep(
      await loadModel(
        gpu,
        modelFolder,
        find,
        {
          dtype: options.dtype,
          training: {
            ...options,
            base: resumeFolder === undefined ? options.modelNameOrPath : undefined,
            valueHead: hasSharedCritic(options),
          },
        },
        options.maxPromptLength + options.maxCompletionLength,
      ),
      ({ model }) => model.destroy(),
    );
    const template = promptFrame(options, loaded.companions);
    const parts = closers.keep(createLearner(loaded.model, sized), (all) => all.destroy());
    const learner = await openLearner(loaded, parts, find, resumeFolder, options);
    const state = await restoreState(resumeFolder, learner.optimizer, options);
    if (resumeFolder !== undefined && state !== undefined) await restoreLearner(resumeFolder, learner, state);
    const firstStep = state?.global_step ?? 0;
    const asked = state?.selection ?? { next_question: firstStep * options.promptsPerStep };
    if (options.dataset !== "nano")
      checkPrompts(
        { tokenizer: loaded.tokenizer, template, options },
        questionsAhead(questions, asked.next_question, options),
      );
    const selection = new QuestionSelection(questions, options, asked, host.acceptsQuestion);
    const ahead = resumeFolder && (await batchAhead(resumeFolder, options));
    const rewards = closers.keep(await host.openRewards(options), (pool) => pool.close());
    // From here on the run folder is cut back, or made.
    if (state !== undefined) await tellChanges(trainOptions, options, host, events);
    const folder = await openRunFolder(options, configYaml, host, state);
    events.onPhase("setup", { step: 0, waitingFor: "Python" });
    const engine = closers.keep(await host.openPython(options), (python) => python.close());
    const collector: Collector = {
      decoder: closers.keep(
        createDecoder(loaded, sized, Math.max(options.promptsPerStep * options.numGenerations, 1)),
        (decoder) => decoder.destroy(),
      ),
      engine,
      environmentFactory: host.environmentFactory,
      rewards,
      tokenizer: loaded.tokenizer,
      template,
      eosTokenIds: eosTokenIds(loaded),
      options,
    };
    const batches = closers.keep(
      new BatchesAhead(
        (step, stop) =>
          collectBatch(collector, selection, options, {
            step,
            policyVersion: () => learner.optimizer.version,
            signal: stop,
            ...rolloutProgress(events, step),
          }),
        signal,
        ahead,
      ),
      (all) => all.close(),
    );
    events.onPlan({
      command: "train",
      model: options.modelNameOrPath,
      parameters: parameterCount(loaded.config),
      adapter: gpu.profile.adapterName,
      dataset: questions.name,
      firstStep,
      maxSteps: options.maxSteps,
      batch: `${options.promptsPerStep} prompts x ${options.numGenerations} trajectories`,
      runFolder: folder.path,
      notes: [memoryLine(memoryByKind(gpu.allocator.bytesByLabel()))],
    });
    return {
      options,
      events,
      loaded,
      collector,
      learner,
      selection,
      batches,
      folder,
      evaluation: new HeldOutEvaluation({ options, collector, questions, folder, events, signal }),
      health: new Health({ hasTool: options.maxToolCalls > 0 }),
      signal,
      firstStep,
      boundary: { ahead, selection: asked },
      numTokens: state?.num_tokens ?? 0,
      skippedSteps: state?.skipped_steps ?? 0,
      lastRow: undefined,
      lastSaved: resumeFolder?.path,
      best: state?.best,
      saidMissing: false,
      close: () => closers.close(),
    };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function questionsOf(
  options: TrainOptions,
  host: TrainingHost,
  events: TrainEvents,
  signal: AbortSignal | undefined,
): Promise<QuestionSource> {
  const notice = (line: string) => events.onNotice(line);
  const questions = await openQuestions(options, host, notice, downloadProgress(events), signal);
  if (options.evalSamples > 0 && questions.heldOut(1).length === 0)
    notice(
      `${questions.name} has ${questions.passLength} rows, too few to hold one in 20 out, so nothing is evaluated; name questions for it with --eval-dataset`,
    );
  return questions;
}

/** Heartbeats of a batch. */
function rolloutProgress(events: TrainEvents, step: number): Pick<BatchSettings, "onHeartbeat"> {
  const begun = performance.now();
  return {
    onHeartbeat: ({ finished, waitingFor, waitingForTools, statistics }, total) =>
      events.onPhase("rollout", {
        step,
        done: finished,
        total,
        unit: "trajectories",
        tokensPerSecond: (1000 * statistics.sampledTokens) / (performance.now() - begun),
        waitingFor:
          waitingFor === "tools"
            ? `Python (${waitingForTools} ${waitingForTools === 1 ? "call" : "calls"})`
            : "the GPU",
      }),
  };
}

/**
 * What the run may train on, each question once: a prompt that is too long is to be known before the first step, not
 * hours later.
 */
function questionsAhead(questions: QuestionSource, first: number, options: TrainOptions): Set<QuestionRow> {
  const ahead = new Set<QuestionRow>();
  const { dynamicSampling, promptSelection, curriculumColumn, maxSteps, promptsPerStep } = options;
  const isSequence = !dynamicSampling && promptSelection === "none" && curriculumColumn === null;
  // The rest of one pass and the whole of the next hold every question.
  const all = first + 2 * questions.passLength;
  const end = isSequence ? Math.min(maxSteps * promptsPerStep, all) : all;
  for (let index = first; index < end; index++) ahead.add(questions.train(index));
  return ahead;
}
