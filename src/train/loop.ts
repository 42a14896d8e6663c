/** The training loop: sample, run code, grade, update, log, save. All state that a step leaves is in the GPU's buffers and the checkpoint. */

import { parameterCount } from "../model/config";
import type { Optimizer } from "../model/optimizer";
import { configFolder } from "../model/peft";
import type { TrainingPass } from "../model/training";
import { UserError } from "../model/user-error";
import { rolloutLine } from "../rollout/records";
import { saveTraining } from "./checkpoint";
import { type Collected, type Collector, checkPrompts, collect } from "./collect";
import { benchmarkName, type EvaluationFigures, evaluate, evaluationRow, summaryTable } from "./evaluation";
import type { TrainEvents, TrainSummary } from "./events";
import { Health } from "./health";
import type { TrainingHost } from "./host";
import { memoryByKind, memoryLine, sizesFor } from "./memory-plan";
import type { EvaluationRow } from "./metrics";
import { afterTraining } from "./next-commands";
import { findResume, openRunFolder, restoreState, tellChanges } from "./opening";
import { type TrainOptions, trainOptions } from "./options";
import { createDecoder, createTrainer, eosTokenIds, type LoadedModel, loadModel } from "./policy";
import { promptFrame } from "./prompt-frame";
import type { QuestionRow, QuestionSource } from "./prompts";
import { openQuestions } from "./questions";
import type { RunFolder } from "./run-folder";
import { chooseSamples, toSample } from "./samples";
import { gradingNotices, stepMetrics } from "./step-metrics";
import { type UpdateResult, update } from "./update";

/** Options of a run whose folder has been decided. */
export type PlacedTrainOptions = Omit<TrainOptions, "outputDir"> & { readonly outputDir: string };

/** Everything a run holds open. */
interface Run {
  readonly options: PlacedTrainOptions;
  readonly events: TrainEvents;
  readonly loaded: LoadedModel;
  readonly collector: Collector;
  readonly pass: TrainingPass;
  readonly optimizer: Optimizer;
  readonly questions: QuestionSource;
  readonly folder: RunFolder;
  readonly health: Health;
  readonly signal: AbortSignal | undefined;
  numTokens: number;
  lastSaved: string | undefined;
  /** Rows of evaluation.jsonl, and the newest figures. */
  evaluations: readonly EvaluationRow[];
  evaluated: { readonly step: number; readonly figures: EvaluationFigures } | undefined;
}

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
  checkTrainable(options);
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
  const training = { ...options, base: resumeFolder === undefined ? options.modelNameOrPath : undefined };
  const loaded = await loadModel(
    gpu,
    modelFolder,
    find,
    { dtype: options.dtype, training },
    options.maxPromptLength + options.maxCompletionLength,
  );
  const template = promptFrame(options, loaded.companions);
  const { pass, optimizer } = createTrainer(loaded, sized);
  const state = await restoreState(resumeFolder, optimizer, options);
  const firstStep = state?.global_step ?? 0;
  if (options.dataset !== "nano")
    checkPrompts({ tokenizer: loaded.tokenizer, template, options }, questionsAhead(questions, firstStep, options));
  // Before the run folder is made: a reward function that cannot be loaded is the user's mistake.
  const rewards = await host.openRewards(options);
  if (state !== undefined) await tellChanges(trainOptions, options, host, events);
  const folder = await openRunFolder(options, configYaml, host, state);
  events.onPhase("setup", { step: 0, waitingFor: "Python" });
  const engine = await host.openPython(options);
  const run: Run = {
    options,
    events,
    loaded,
    collector: {
      decoder: createDecoder(loaded, sized, Math.max(options.promptsPerStep * options.numGenerations, 1)),
      engine,
      rewards,
      tokenizer: loaded.tokenizer,
      template,
      eosTokenIds: eosTokenIds(loaded),
      options,
    },
    pass,
    optimizer,
    questions,
    folder,
    health: new Health({ hasTool: options.maxToolCalls > 0 }),
    signal,
    numTokens: state?.num_tokens ?? 0,
    lastSaved: resumeFolder?.path,
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
    await Promise.allSettled([engine.close(), rewards.close()]);
    run.collector.decoder.destroy();
    pass.destroy();
    optimizer.destroy();
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
      if (step === options.maxSteps || (options.saveSteps > 0 && step % options.saveSteps === 0)) await save(run, step);
    }
  } catch (error) {
    // An abort in the middle of a rollout: the last finished step is what is saved.
    if (!signal?.aborted || error !== signal.reason) throw error;
  }
  const interrupted = step < options.maxSteps;
  if (interrupted && step > firstStep && !(options.saveSteps > 0 && step % options.saveSteps === 0))
    await save(run, step);
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
    next: afterTraining(options, run.folder.path, run.lastSaved, interrupted),
  };
  events.onFinish(summary);
  return summary;
}

async function trainStep(run: Run, step: number): Promise<void> {
  const { options, events, collector, signal } = run;
  const begun = performance.now();
  const first = (step - 1) * options.promptsPerStep;
  const questions = Array.from({ length: options.promptsPerStep }, (_, index) => run.questions.train(first + index));
  const total = options.promptsPerStep * options.numGenerations;
  events.onPhase("rollout", { step, done: 0, total, unit: "trajectories" });
  const collected = await collect(collector, questions, {
    step,
    samplesPerQuestion: options.numGenerations,
    sampling: {
      temperature: options.temperature,
      topK: options.topK,
      topP: options.topP,
      minP: options.minP,
      seed: [options.seed, 0],
    },
    ...(signal === undefined ? {} : { signal }),
    onHeartbeat: ({ finished, waitingFor, waitingForPython, statistics }) =>
      events.onPhase("rollout", {
        step,
        done: finished,
        total,
        unit: "trajectories",
        tokensPerSecond: (1000 * statistics.sampledTokens) / (performance.now() - begun),
        waitingFor:
          waitingFor === "python"
            ? `Python (${waitingForPython} ${waitingForPython === 1 ? "call" : "calls"})`
            : "the GPU",
      }),
  });
  const sampled = performance.now();
  events.onPhase("update", { step });
  const result = await update(run.pass, run.optimizer, collected.groups, options, step, (done, all) =>
    events.onPhase("update", { step, done, total: all, unit: "micro-batches" }),
  );
  const updated = performance.now();
  run.numTokens += tokenCount(collected);
  const row = {
    ...stepMetrics(step, collected, result, run.numTokens, {
      rollout: (sampled - begun) / 1000,
      update: (updated - sampled) / 1000,
      total: (updated - begun) / 1000,
    }),
    ...(await evaluateStep(run, step)),
  };
  await run.folder.logRollouts(step, rolloutLines(step, collected, result));
  if (step % options.loggingSteps === 0) await run.folder.logMetrics(row);
  events.onStep(row);
  if (result.kept.length === 0)
    events.onNotice(
      `step ${step}: --group-filter-min and --group-filter-max dropped every group, so there was no update`,
    );
  for (const text of run.health.judge(row)) events.onNotice(`step ${step}: ${text}`);
  for (const text of gradingNotices(collected)) events.onNotice(`step ${step}: ${text}`);
  if (!Number.isFinite(result.gradNorm))
    events.onNotice(
      `step ${step}: the gradient norm is not finite, so the weights were left as they are; see its rollouts`,
    );
  if (options.logCompletions && (step % options.logCompletionsSteps === 0 || step === 1))
    for (const sample of chooseSamples(collected, options.numCompletionsToPrint))
      events.onSample(toSample(run.loaded.tokenizer, step, sample));
}

function* rolloutLines(step: number, collected: Collected, result: UpdateResult): Generator<string> {
  for (const { trajectory, prompt, grade } of collected.groups.flat()) {
    const advantage = result.advantages.get(trajectory.id);
    yield rolloutLine(trajectory, {
      step,
      prompt,
      reward: grade.numbers.reward,
      rewards: { ...grade.numbers },
      rewardFunctions: grade.rewards,
      ...(advantage === undefined ? {} : { advantage }),
    });
  }
}

async function save(run: Run, step: number): Promise<void> {
  run.events.onPhase("save", { step });
  run.lastSaved = await run.folder.saveCheckpoint(
    step,
    (writer) =>
      saveTraining(writer, run.loaded, run.optimizer, {
        global_step: step,
        num_tokens: run.numTokens,
        seed: run.options.seed,
      }),
    run.options.saveTotalLimit,
  );
  run.events.onCheckpoint({ step, path: run.lastSaved });
}

/** The figures after a step; null where there is nothing to measure on, or the run was stopped. */
async function evaluateHeldOut(run: Run, step: number): Promise<EvaluationFigures | null> {
  const { options, signal, events } = run;
  if (run.evaluated?.step === step) return run.evaluated.figures;
  const questions = run.questions.heldOut(options.evalSamples);
  if (questions.length === 0 || signal?.aborted) return null;
  const samples = options.numGenerationsEval;
  const tell = (done: number, total: number) =>
    events.onPhase("evaluate", { step, done, total, unit: "held-out answers" });
  tell(0, (1 + samples) * questions.length);
  try {
    const figures = await evaluate(run.collector, questions, samples, signal, tell);
    run.evaluated = { step, figures };
    run.evaluations = await run.folder.logEvaluation(evaluationRow(step, evaluatedOn(run), samples, figures));
    return figures;
  } catch (error) {
    if (signal?.aborted) return null;
    throw error;
  }
}

function evaluatedOn({ options }: Run): string {
  return benchmarkName(options.evalDataset ?? options.dataset);
}

/** The evaluation that is due after a step, as figures of its row. */
async function evaluateStep(run: Run, step: number): Promise<Omit<EvaluationRow, "step">> {
  const { evalSteps, numGenerationsEval } = run.options;
  if (evalSteps === 0 || step % evalSteps !== 0) return {};
  const begun = performance.now();
  const figures = await evaluateHeldOut(run, step);
  if (figures === null) return {};
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
  run.events.onNotice(
    `step ${step}, ${evaluatedOn(run)}: accuracy ${percent(figures.greedyAccuracy)} greedy, ${percent(figures.sampledAccuracy)} sampled; code ratio ${percent(figures.sampledCodeRatio)}`,
  );
  const { step: _, ...row } = evaluationRow(step, evaluatedOn(run), numGenerationsEval, figures);
  return { ...row, "time/evaluate": (performance.now() - begun) / 1000 };
}

/** Log-probs of a truncated distribution cannot equal those of the full softmax that training differentiates. */
function checkTrainable(options: TrainOptions): void {
  const cut = options.topP < 1 ? "--top-p" : options.topK > 0 ? "--top-k" : options.minP > 0 ? "--min-p" : undefined;
  if (cut !== undefined)
    throw new UserError(
      `${cut} cuts the distribution that is sampled, and training would see another one; leave it off in train and use it in sample or eval`,
    );
}

/** Progress of a download. */
function megabytes(done: number, total: number | undefined) {
  const rounded = (bytes: number) => Math.round(bytes / 1e5) / 10;
  return { done: rounded(done), unit: "MB", ...(total === undefined ? {} : { total: rounded(total) }) };
}

/** What the run will train on, each question once: a prompt that is too long is to be known before the first step, not hours later. */
function questionsAhead(questions: QuestionSource, firstStep: number, options: PlacedTrainOptions): Set<QuestionRow> {
  const ahead = new Set<QuestionRow>();
  const first = firstStep * options.promptsPerStep;
  // The rest of one pass and the whole of the next hold every question.
  const end = Math.min(options.maxSteps * options.promptsPerStep, first + 2 * questions.passLength);
  for (let index = first; index < end; index++) ahead.add(questions.train(index));
  return ahead;
}

function tokenCount(collected: Collected): number {
  return collected.groups
    .flat()
    .reduce((sum, { trajectory }) => sum + trajectory.promptIds.length + trajectory.ids.length, 0);
}
