/** What every training command does the same way between its options and its first step. */

import { UserError } from "../base/errors";
import type { FolderReader } from "../model/folder";
import type { Optimizer } from "../model/optimizer";
import { changedOptions } from "../options/changed-options";
import type { OptionInfo } from "../options/option";
import type { TrainOptions } from "../options/train";
import type { TrainerState } from "./checkpoint";
import { loadTraining } from "./checkpoint";
import type { TrainEvents } from "./events";
import type { TrainingHost } from "./host";
import { CONFIG, RunFolder } from "./run-folder";

/** Options that the opening reads. The run folder has been decided. */
export type OpeningOptions = Pick<TrainOptions, "resumeFromCheckpoint" | "seed" | "maxSteps"> & {
  readonly outputDir: string;
};

/** Tells the watcher that the run begins, and finds the checkpoint to go on from; undefined for a new run. */
export async function findResume(
  options: Pick<OpeningOptions, "resumeFromCheckpoint" | "outputDir">,
  host: TrainingHost,
  events: TrainEvents,
): Promise<FolderReader | undefined> {
  events.onPhase("setup", { step: 0, waitingFor: "the GPU" });
  return options.resumeFromCheckpoint === null
    ? undefined
    : await host.checkpointFolder(options.resumeFromCheckpoint, options.outputDir);
}

/**
 * The moments of a resumed run, and its state; undefined for a new one.
 *
 * @throws UserError when no step is left to be made
 */
export async function restoreState(
  resumeFolder: FolderReader | undefined,
  optimizer: Optimizer,
  { seed, maxSteps }: Pick<OpeningOptions, "seed" | "maxSteps">,
): Promise<TrainerState | undefined> {
  if (resumeFolder === undefined) return undefined;
  const state = await loadTraining(resumeFolder, optimizer, seed);
  if (state.global_step >= maxSteps)
    throw new UserError(
      `the checkpoint is at step ${state.global_step} already; raise --max-steps above ${state.global_step} to go on`,
    );
  return state;
}

/**
 * Says with which options a resumed run departs from what it was; before {@link openRunFolder}, which writes the new
 * ones.
 */
export async function tellChanges(
  set: { readonly infos: ReadonlyMap<string, OptionInfo> },
  options: Readonly<Record<string, unknown>> & Pick<OpeningOptions, "outputDir">,
  host: TrainingHost,
  events: TrainEvents,
): Promise<void> {
  const before = await host.runFiles(options.outputDir).read(CONFIG);
  const changes = before === undefined ? [] : changedOptions(set, before, options);
  if (changes.length > 0)
    events.onNotice(
      `the run goes on with ${changes.join(", ")}; it will not equal one that never stopped, give the old values for that`,
    );
}

/** The run folder: new, or cut back to the step that is resumed. */
export function openRunFolder(
  { outputDir }: Pick<OpeningOptions, "outputDir">,
  configYaml: string,
  host: TrainingHost,
  state: TrainerState | undefined,
): Promise<RunFolder> {
  const files = host.runFiles(outputDir);
  return state === undefined
    ? RunFolder.start(files, configYaml)
    : RunFolder.resume(files, configYaml, state.global_step, state.best);
}
