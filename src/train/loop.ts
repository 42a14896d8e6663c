/**
 * Reinforcement learning from outcome reward: the loop over steps, and what a step is. A batch of trajectories is
 * sampled and graded (batch.ts), and changes the weights (update.ts); everything else here is written down or told.
 */
import { ExpectedError } from "../base/errors";
import { bestOf, missingMetric } from "../session/best-checkpoint";
import type { TrainEvents, TrainSummary } from "../session/events";
import type { TrainingHost } from "../session/host";
import type { MetricsRow } from "../session/metrics";
import { afterTraining } from "../session/next-commands";
import { checkpointName } from "../session/run-folder";
import { chooseTranscripts, transcriptOf } from "../session/transcript";
import type { RolloutBatch } from "./batch";
import { type StepBoundary, saveCheckpoint } from "./checkpoint";
import { summaryTable } from "./evaluation";
import { openRun, type PlacedTrainOptions, type Run } from "./run";
import { type Examination, examine, whySkipped, writeSnapshot } from "./skipped-update";
import { rolloutLines, stepMetrics, stepNotices, tokenCount } from "./step-record";
import { type UpdateResult, update } from "./update";

export type { PlacedTrainOptions } from "./run";

/**
 * Trains as `options` say, which `configYaml` repeats for the run folder. An abort ends the run after saving.
 *
 * @returns the closing summary, which was also given to `events.onFinish`
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
  const run = await openRun(options, configYaml, host, events, signal);
  try {
    return await steps(run, begun);
  } finally {
    await run.close();
  }
}

async function steps(run: Run, begun: number): Promise<TrainSummary> {
  const { options, events, evaluation, firstStep, signal } = run;
  const { maxSteps, saveSteps } = options;
  let step = firstStep;
  const before = await evaluation.after(step);
  try {
    while (step < maxSteps && !signal?.aborted) {
      await trainStep(run, step + 1);
      step++;
      if (step === maxSteps || isDue(step, saveSteps)) await save(run, step, true);
    }
  } catch (error) {
    // An abort in the middle of a rollout: the last finished step is what is saved.
    if (!signal?.aborted || error !== signal.reason) throw error;
  }
  const interrupted = step < maxSteps;
  if (interrupted && step > firstStep && !isDue(step, saveSteps)) await save(run, step, false);
  const after = interrupted ? null : await evaluation.after(step);
  const summary: TrainSummary = {
    outcome: interrupted ? "interrupted" : "finished",
    step,
    seconds: (performance.now() - begun) / 1000,
    table: summaryTable(before, after),
    ...(evaluation.rows.length > 0 && { evaluations: evaluation.rows }),
    runFolder: run.folder.path,
    ...(run.lastSaved !== undefined && { checkpoint: run.lastSaved }),
    ...(run.best && { best: { ...run.best, path: `${run.folder.path}/${checkpointName(run.best.step)}` } }),
    next: afterTraining(options, run.folder.path, run.lastSaved, interrupted),
  };
  events.onFinish(summary);
  return summary;
}

/** Whether something that comes every so many steps comes after this one; 0 for never. */
function isDue(step: number, every: number): boolean {
  return every > 0 && step % every === 0;
}

/** One step: sample and grade, update, evaluate when that is due, write down. */
async function trainStep(run: Run, step: number): Promise<void> {
  const { options, events, learner, batches } = run;
  const begun = performance.now();

  events.onPhase("rollout", { step });
  const batch = await batches.take(step);
  // A batch ahead moves the selection on; a checkpoint after an abort, which drops that batch, needs it as it is now.
  const { state: selectionBefore } = run.selection;
  if (options.maxStaleness > 0 && step < options.maxSteps) batches.start(step + 1);
  const sampled = performance.now();

  events.onPhase("update", { step });
  const staleness = learner.optimizer.step - batch.policyVersion;
  let examination: Examination | undefined;
  const result = await update(learner, batch, options, step, {
    onProgress: (done, total) => events.onPhase("update", { step, done, total, unit: "micro-batches" }),
    beforeWeightsChange: async () => {
      if (!options.inFlightWeightUpdates) await batches.settled();
    },
    onSkipped: async (skipped) => {
      examination ??= await examine(skipped, learner.pass.gradients, run.loaded.model.trained);
    },
  });
  const updated = performance.now();

  run.boundary = await boundaryAfter(run, selectionBefore);
  run.numTokens += tokenCount(batch);
  // A step without any update says nothing of the gradients.
  if (result.updates > 0) run.skippedSteps = result.skipped === result.updates ? run.skippedSteps + 1 : 0;
  const row: MetricsRow = {
    ...stepMetrics(step, batch, result, run.numTokens, {
      waiting: (sampled - begun) / 1000,
      update: (updated - sampled) / 1000,
      total: (performance.now() - begun) / 1000,
    }),
    staleness,
    ...(await run.evaluation.due(step)),
  };
  run.lastRow = row;
  await run.folder.logRollouts(step, rolloutLines(step, batch, result));
  if (step % options.loggingSteps === 0) await run.folder.logMetrics(row);
  events.onStep(row);

  for (const text of stepNotices(batch, result, options)) events.onNotice(`step ${step}: ${text}`);
  if (examination !== undefined) await leaveSnapshot(run, result, examination, batch, row);
  for (const text of run.health.judge(row)) events.onNotice(`step ${step}: ${text}`);
  if (options.logCompletions && (step % options.logCompletionsSteps === 0 || step === 1))
    for (const graded of chooseTranscripts(batch.groups, options.numCompletionsToPrint))
      events.onSample(transcriptOf(run.loaded.tokenizer, step, graded));
}

/** Where questions and batches stand once a batch that is being sampled ahead is there. */
function boundaryAfter(run: Run, selection: StepBoundary["selection"]): Promise<StepBoundary> {
  return run.batches.settled().then(
    (ahead) => ({ ahead, selection: run.selection.state }),
    (error: unknown) => {
      // Stopped while weights changed under a rollout: the step is done, the next batch is as if it had never begun.
      if (!run.signal?.aborted) throw error;
      return { ahead: undefined, selection };
    },
  );
}

/** @param isRegular a checkpoint that an uninterrupted run has too, so that it may be the best */
async function save(run: Run, step: number, isRegular: boolean): Promise<void> {
  const { options, events, lastRow } = run;
  events.onPhase("save", { step });
  const { metricForBestModel: metric } = options;
  if (isRegular && lastRow !== undefined) {
    const missing = metric === null || run.saidMissing ? undefined : missingMetric(lastRow, metric);
    if (missing !== undefined) events.onNotice(missing);
    run.saidMissing = true;
    run.best = bestOf(run.best, lastRow, options);
  }
  run.lastSaved = await saveCheckpoint(run, step);
  events.onCheckpoint({ step, path: run.lastSaved });
}

/** Steps in a row without an update after which a run ends: what comes then is hours of the same. */
const MOST_SKIPPED = 5;

/**
 * Tells of updates that were left out, and leaves what to look into.
 *
 * @throws DivergedError when nothing has changed for too long
 */
async function leaveSnapshot(
  run: Run,
  result: UpdateResult,
  examination: Examination,
  batch: RolloutBatch,
  row: MetricsRow,
): Promise<void> {
  const { step } = row;
  const why = whySkipped(examination, run.options);
  const snapshot = await run.folder.saveSnapshot(step, (writer) => writeSnapshot(writer, examination, batch, row));
  const look = snapshot === undefined ? "see the earlier snapshots" : `what to look into is in ${snapshot}`;
  const { updates, skipped } = result;
  run.events.onNotice(
    `step ${step}: ${why}, so ${updates === 1 ? "the weights were left as they are" : `${skipped} of ${updates} updates were left out`}; ${look}`,
  );
  if (run.skippedSteps >= MOST_SKIPPED)
    throw new DivergedError(
      `${run.skippedSteps} steps in a row changed nothing, since ${why}, so the run ends; go on from an earlier checkpoint with a smaller --learning-rate, or another reward (${look})`,
    );
}

/** Training that no longer changes the weights. */
class DivergedError extends ExpectedError {
  override readonly name = "DivergedError";
}
