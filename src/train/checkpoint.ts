/** Checkpoints of reinforcement learning: model and moments, and all else that the next step depends on. */
import { UserError } from "../base/errors";
import { at, must } from "../base/must";
import { type FolderReader, readText, writeCheckpoint } from "../model/folder";
import type { TrainOptions } from "../options/train";
import type { BestCheckpoint } from "../session/best-checkpoint";
import { loadMoments, type SelectionState, saveMoments, saveTraining, type TrainerState } from "../session/checkpoint";
import type { LoadedModel } from "../session/loaded-model";
import type { RunFolder } from "../session/run-folder";
import type { RolloutBatch } from "./batch";
import { criticFiles } from "./critic";
import type { Learner } from "./learner";

/** A batch that was sampled ahead of its step. */
const BATCH = "batch_ahead.json";

/** Where questions and batches stood when a step ended: the next step, which may be stopped midway, moves both. */
export interface StepBoundary {
  readonly selection: SelectionState;
  /** A batch that lies ready for the next step. */
  readonly ahead: RolloutBatch | undefined;
}

/** What a checkpoint of the last finished step is made of. */
export interface CheckpointParts {
  readonly options: TrainOptions;
  readonly loaded: LoadedModel;
  readonly learner: Learner;
  readonly folder: RunFolder;
  readonly boundary: StepBoundary;
  /** Tokens seen since the first step. */
  readonly numTokens: number;
  /** Steps in a row in which every update was left out. */
  readonly skippedSteps: number;
  readonly best: BestCheckpoint | undefined;
}

/** Writes the checkpoint of a step into the run folder. @returns its path */
export function saveCheckpoint(parts: CheckpointParts, step: number): Promise<string> {
  const { options, loaded, learner, boundary, best } = parts;
  const critic = learner.critic?.own;
  return parts.folder.saveCheckpoint(
    step,
    async (writer) => {
      await saveTraining(writer, loaded, learner.optimizer, {
        global_step: step,
        num_tokens: parts.numTokens,
        seed: options.seed,
        selection: boundary.selection,
        ...(parts.skippedSteps > 0 && { skipped_steps: parts.skippedSteps }),
        ...(best && { best }),
        ...(options.klTarget !== null && { kl_coefficient: learner.kl.coefficient }),
        ...(critic && { critic_step: critic.optimizer.step }),
      });
      if (critic !== undefined) {
        const files = criticFiles.writer(writer);
        await writeCheckpoint(files, critic.model.config, critic.model.trained.toWrite());
        await saveMoments(files, critic.optimizer);
      }
      if (boundary.ahead !== undefined) await writer.write(BATCH, writeBatch(boundary.ahead));
    },
    options.saveTotalLimit,
    best,
  );
}

/** Restores what the learner has beside the policy's weights and moments; the critic's weights are loaded already. */
export async function restoreLearner(folder: FolderReader, learner: Learner, state: TrainerState): Promise<void> {
  if (state.kl_coefficient !== undefined) learner.kl.coefficient = state.kl_coefficient;
  const own = learner.critic?.own;
  if (own === undefined) return;
  await loadMoments(criticFiles.reader(folder), own.optimizer);
  own.optimizer.step = must(state.critic_step, `critic_step of ${folder.path}/trainer_state.json`);
}

/**
 * The batch that a checkpoint has ready for its next step.
 *
 * @throws UserError when its file is damaged, or the estimator needs answers that it lacks
 */
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

/**
 * Lists of numbers are named by their type, so that they come back as they were; every f32 is a double that JSON gives
 * back exactly.
 */
const TYPED = { Uint32Array, Uint8Array, Float32Array } as const;
type TypedName = keyof typeof TYPED;

/** One line of JSON. */
export function writeBatch(batch: RolloutBatch): string {
  const { groups, kept, ...rest } = batch;
  const places = new Map(groups.map((group, index) => [group, index]));
  const text = JSON.stringify(
    { ...rest, groups, kept: kept.map((group) => places.get(group)) },
    (_, value: unknown) => {
      const name = typedName(value);
      return name === undefined ? value : { [name]: Array.from(value as Iterable<number>) };
    },
  );
  return `${text}\n`;
}

/** @throws SyntaxError when the text is cut */
export function readBatch(text: string): RolloutBatch {
  const { kept, ...rest }: Omit<RolloutBatch, "kept"> & { kept: readonly number[] } = JSON.parse(
    text,
    (_, value: unknown) => {
      if (typeof value !== "object" || value === null) return value;
      const [entry, ...others] = Object.entries(value);
      if (entry === undefined || others.length > 0 || !isTypedName(entry[0]) || !Array.isArray(entry[1])) return value;
      return TYPED[entry[0]].from(entry[1]);
    },
  );
  return { ...rest, kept: kept.map((place) => at(rest.groups, place)) };
}

function typedName(value: unknown): TypedName | undefined {
  return Object.keys(TYPED)
    .filter(isTypedName)
    .find((name) => value instanceof TYPED[name]);
}

function isTypedName(name: string): name is TypedName {
  return Object.hasOwn(TYPED, name);
}
