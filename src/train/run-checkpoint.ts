/** The checkpoints of a run of reinforcement learning: model and moments, and all else that its next step depends on. */

import { UserError } from "../base/errors";
import { type FolderReader, readText, writeCheckpoint } from "../model/folder";
import type { TrainOptions } from "../options/train";
import { bestOf, missingMetric } from "../session/best-checkpoint";
import { loadMoments, saveMoments, saveTraining } from "../session/checkpoint";
import type { TrainerState } from "../session/trainer-state";
import { readBatch, writeBatch } from "./batch-file";
import { criticFiles } from "./critic-files";
import type { Learner } from "./learner";
import type { RolloutBatch } from "./rollout-batch";
import type { Run } from "./run";

/** A batch that was sampled ahead of its step. */
const BATCH = "batch_ahead.json";

/** @param isRegular a checkpoint that an uninterrupted run has too, so that it may be the best */
export async function saveRun(run: Run, step: number, isRegular: boolean): Promise<void> {
  const { options, learner, events, boundary } = run;
  const own = learner.critic?.own;
  events.onPhase("save", { step });
  const { metricForBestModel: metric } = options;
  if (isRegular && run.lastRow !== undefined) {
    const missing = metric === null || run.saidMissing ? undefined : missingMetric(run.lastRow, metric);
    if (missing !== undefined) events.onNotice(missing);
    run.saidMissing = true;
    run.best = bestOf(run.best, run.lastRow, options);
  }
  run.lastSaved = await run.folder.saveCheckpoint(
    step,
    async (writer) => {
      await saveTraining(writer, run.loaded, learner.optimizer, {
        global_step: step,
        num_tokens: run.numTokens,
        seed: options.seed,
        selection: boundary.selection,
        ...(run.skippedSteps > 0 && { skipped_steps: run.skippedSteps }),
        ...(run.best && { best: run.best }),
        ...(options.klTarget !== null && { kl_coefficient: learner.kl.coefficient }),
        ...(own && { critic_step: own.optimizer.step }),
      });
      if (own !== undefined) {
        const files = criticFiles.writer(writer);
        await writeCheckpoint(files, own.model.config, own.model.trained.toWrite());
        await saveMoments(files, own.optimizer);
      }
      if (boundary.ahead !== undefined) await writer.write(BATCH, writeBatch(boundary.ahead));
    },
    options.saveTotalLimit,
    run.best,
  );
  events.onCheckpoint({ step, path: run.lastSaved });
}

/** Restores what the learner has beside the policy's weights and moments; the critic's weights are loaded already. */
export async function restoreLearner(folder: FolderReader, learner: Learner, state: TrainerState): Promise<void> {
  if (state.kl_coefficient !== undefined) learner.kl.coefficient = state.kl_coefficient;
  const own = learner.critic?.own;
  if (own === undefined) return;
  await loadMoments(criticFiles.reader(folder), own.optimizer);
  own.optimizer.step = state.critic_step ?? 0;
}

/** The batch that a checkpoint has ready for its next step. @throws UserError when its file is damaged, or the estimator needs answers that it lacks */
export async function batchAhead(
  folder: FolderReader,
  { advantageEstimator }: Pick<TrainOptions, "advantageEstimator">,
): Promise<RolloutBatch | undefined> {
  const text = await readText(folder, BATCH);
  if (text === undefined) return undefined;
  const batch = readWhole(text, `${folder.path}/${BATCH}`);
  if (advantageEstimator === "remax" && batch.kept.length > 0 && batch.greedyRewards === undefined)
    throw new UserError(
      `${folder.path}: has a batch ready that was sampled without the greedy answers of --advantage-estimator remax; go on with the estimator that it had, or begin a new run from its weights with --model-name-or-path`,
    );
  return batch;
}

function readWhole(text: string, file: string): RolloutBatch {
  try {
    return readBatch(text);
  } catch {
    throw new UserError(`${file}: not the file that was written; resume from an earlier checkpoint`);
  }
}
