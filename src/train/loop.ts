/** The training loop of reinforcement learning: what is opened before the first step, the steps, and what is closed after the last. */

import { parameterCount } from "../model/config";
import { configFolder } from "../model/peft";
import { hasSharedCritic } from "../options/fields/critic";
import { trainOptions } from "../options/train";
import { type Collector, checkPrompts } from "../session/collect";
import type { TrainEvents, TrainSummary } from "../session/events";
import type { TrainingHost } from "../session/host";
import { createDecoder, eosTokenIds, loadModel } from "../session/loaded-model";
import { afterTraining } from "../session/next-commands";
import { findResume, openRunFolder, restoreState, tellChanges } from "../session/opening";
import { promptFrame } from "../session/prompt-frame";
import type { QuestionRow, QuestionSource } from "../session/prompts";
import { openQuestions } from "../session/questions";
import { checkpointName } from "../session/run-folder";
import { BatchesAhead } from "./batches-ahead";
import { summaryTable } from "./evaluation";
import { Health } from "./health";
import { createLearner, openLearner } from "./learner";
import { memoryByKind, memoryLine, sizesFor } from "./memory-plan";
import { QuestionSelection } from "./question-selection";
import { type BatchSettings, sampleBatch } from "./rollout-batch";
import type { PlacedTrainOptions, Run } from "./run";
import { batchAhead, restoreLearner, saveRun } from "./run-checkpoint";
import { evaluateHeldOut } from "./run-evaluation";
import { trainStep } from "./train-step";

export type { PlacedTrainOptions } from "./run";

/**
 * Trains as `options` say, which `configYaml` repeats for the run folder, and returns the closing summary, which was also given to `events.onFinish`. An abort ends the run after saving.
 * @throws UserError for what the user can repair; the device's first error, when it had one
 */
export async function runTraining(
  options: PlacedTrainOptions,
  configYaml: string,
  host: TrainingHost,
  events: TrainEvents,
  signal?: AbortSignal,
): Promise<TrainSummary> {
  const begun = performance.now();
  const resumeFolder = await findResume(options, host, events);
  const questions = await openQuestions(
    options,
    host,
    (line) => events.onNotice(line),
    (file, done, total) => events.onPhase("setup", { step: 0, ...megabytes(done, total), waitingFor: file }),
    signal,
  );
  if (options.evalSamples > 0 && questions.heldOut(1).length === 0)
    events.onNotice(
      `${questions.name} has ${questions.passLength} rows, too few to hold one in 20 out, so nothing is evaluated; name questions for it with --eval-dataset`,
    );
  const gpu = await host.openGpu(options);
  events.onPhase("setup", { step: 0, waitingFor: "the model" });
  const find = (name: string) =>
    host.modelFolder(name, {
      offline: options.offline,
      onProgress: (file, done, total) =>
        events.onPhase("setup", { step: 0, ...megabytes(done, total), waitingFor: file }),
      signal,
    });
  const modelFolder = resumeFolder ?? find(options.modelNameOrPath);
  const sized =
    options.gpuMemory === null
      ? options
      : { ...options, ...(await sizesFor(await configFolder(modelFolder, find), options, gpu)) };
  const training = {
    ...options,
    base: resumeFolder === undefined ? options.modelNameOrPath : undefined,
    valueHead: hasSharedCritic(options),
  };
  const loaded = await loadModel(
    gpu,
    modelFolder,
    find,
    { dtype: options.dtype, training },
    options.maxPromptLength + options.maxCompletionLength,
  );
  const template = promptFrame(options, loaded.companions);
  const parts = createLearner(loaded.model, sized);
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
  // Before the run folder is cut back or made: a batch that cannot be used, or a reward function that cannot be loaded is the user's mistake.
  const ahead = resumeFolder && (await batchAhead(resumeFolder, options));
  const rewards = await host.openRewards(options);
  if (state !== undefined) await tellChanges(trainOptions, options, host, events);
  const folder = await openRunFolder(options, configYaml, host, state);
  events.onPhase("setup", { step: 0, waitingFor: "Python" });
  const engine = await host.openPython(options);
  const collector: Collector = {
    decoder: createDecoder(loaded, sized, Math.max(options.promptsPerStep * options.numGenerations, 1)),
    engine,
    environmentFactory: host.environmentFactory,
    rewards,
    tokenizer: loaded.tokenizer,
    template,
    eosTokenIds: eosTokenIds(loaded),
    options,
  };
  const batches = new BatchesAhead(
    (step, stop) =>
      sampleBatch(collector, selection, options, {
        step,
        policyVersion: () => learner.optimizer.version,
        signal: stop,
        ...rolloutProgress(events, step),
      }),
    signal,
    ahead,
  );
  const run: Run = {
    options,
    events,
    loaded,
    collector,
    learner,
    questions,
    selection,
    batches,
    boundary: { ahead, selection: asked },
    folder,
    health: new Health({ hasTool: options.maxToolCalls > 0 }),
    signal,
    numTokens: state?.num_tokens ?? 0,
    skippedSteps: state?.skipped_steps ?? 0,
    lastRow: undefined,
    lastSaved: resumeFolder?.path,
    best: state?.best,
    saidMissing: false,
    evaluations: [],
    evaluated: undefined,
  };
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
  try {
    return await steps(run, firstStep, begun);
  } finally {
    await batches.close();
    await Promise.allSettled([engine.close(), rewards.close()]);
    collector.decoder.destroy();
    parts.destroy();
    loaded.model.destroy();
  }
}

async function steps(run: Run, firstStep: number, begun: number): Promise<TrainSummary> {
  const { options, events, signal } = run;
  let step = firstStep;
  const before = await evaluateHeldOut(run, step);
  try {
    while (step < options.maxSteps && !signal?.aborted) {
      await trainStep(run, step + 1);
      step++;
      if (step === options.maxSteps || (options.saveSteps > 0 && step % options.saveSteps === 0))
        await saveRun(run, step, true);
    }
  } catch (error) {
    // An abort in the middle of a rollout: the last finished step is what is saved.
    if (!signal?.aborted || error !== signal.reason) throw error;
  }
  const interrupted = step < options.maxSteps;
  if (interrupted && step > firstStep && !(options.saveSteps > 0 && step % options.saveSteps === 0))
    await saveRun(run, step, false);
  const after = interrupted ? null : await evaluateHeldOut(run, step);
  const { evaluations } = run;
  const summary: TrainSummary = {
    outcome: interrupted ? "interrupted" : "finished",
    step,
    seconds: (performance.now() - begun) / 1000,
    table: summaryTable(before, after),
    ...(evaluations.length === 0 ? {} : { evaluations }),
    runFolder: run.folder.path,
    ...(run.lastSaved === undefined ? {} : { checkpoint: run.lastSaved }),
    ...(run.best && { best: { ...run.best, path: `${run.folder.path}/${checkpointName(run.best.step)}` } }),
    next: afterTraining(options, run.folder.path, run.lastSaved, interrupted),
  };
  events.onFinish(summary);
  return summary;
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

/** Progress of a download. */
function megabytes(done: number, total: number | undefined) {
  const rounded = (bytes: number) => Math.round(bytes / 1e5) / 10;
  return { done: rounded(done), unit: "MB", ...(total === undefined ? {} : { total: rounded(total) }) };
}

/** What the run may train on, each question once: a prompt that is too long is to be known before the first step, not hours later. */
function questionsAhead(questions: QuestionSource, first: number, options: PlacedTrainOptions): Set<QuestionRow> {
  const ahead = new Set<QuestionRow>();
  const { dynamicSampling, promptSelection, curriculumColumn, maxSteps, promptsPerStep } = options;
  const isSequence = !dynamicSampling && promptSelection === "none" && curriculumColumn === null;
  // The rest of one pass and the whole of the next hold every question.
  const all = first + 2 * questions.passLength;
  const end = isSequence ? Math.min(maxSteps * promptsPerStep, all) : all;
  for (let index = first; index < end; index++) ahead.add(questions.train(index));
  return ahead;
}
