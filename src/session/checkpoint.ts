/** What a checkpoint holds beside the model: optimizer moments and the training state. Saving and loading are exact, so a resumed run goes on bit for bit. */

import { UserError } from "../base/errors";
import type { FolderReader, FolderWriter } from "../model/folder";
import { writeCheckpoint } from "../model/folder";
import type { Moments, Optimizer } from "../model/optimizer";
import { writeAdapter } from "../model/peft";
import { SafetensorsFile } from "../model/safetensors/read";
import { safetensorsChunks } from "../model/safetensors/write";
import type { LoadedModel } from "./loaded-model";
import { readTrainerState, type TrainerState, trainerStateJson } from "./trainer-state";

const OPTIMIZER = "optimizer.safetensors";
const FIRST = "exp_avg.";
const SECOND = "exp_avg_sq.";

/** Writes the model, or only its adapter, tokenizer, moments and state into a checkpoint folder. */
export async function saveTraining(
  writer: FolderWriter,
  loaded: LoadedModel,
  optimizer: Optimizer,
  state: Omit<TrainerState, "optimizer_step">,
): Promise<void> {
  const { model, config, companions } = loaded;
  if (model.adapter === undefined) await writeCheckpoint(writer, config, model.trained.toWrite(), companions);
  else {
    await writeAdapter(writer, loaded.base ?? "", model.adapter.layout.config, model.trained.toWrite());
    for (const [name, text] of companions) await writer.write(name, text);
  }
  await saveMoments(writer, optimizer);
  await writer.write("trainer_state.json", trainerStateJson({ ...state, optimizer_step: optimizer.step }));
}

export async function saveMoments(writer: FolderWriter, { firstMoment, secondMoment }: Optimizer): Promise<void> {
  await writer.write(
    OPTIMIZER,
    safetensorsChunks([
      ...firstMoment.toWrite((name) => FIRST + name),
      ...secondMoment.toWrite((name) => SECOND + name),
    ]),
  );
}

/**
 * Restores the moments and returns the state; the weights were loaded with the model.
 * @throws UserError when the folder lacks a file or a tensor, or belongs to another seed
 */
export async function loadTraining(folder: FolderReader, optimizer: Optimizer, seed: number): Promise<TrainerState> {
  const state = await readTrainerState(folder);
  if (state.seed !== seed)
    throw new UserError(
      `${folder.path}: was trained with --seed ${state.seed}, this run has --seed ${seed}; a run is resumed with the seed it began with`,
    );
  await loadMoments(folder, optimizer);
  optimizer.step = state.optimizer_step;
  return state;
}

/** @throws UserError when the folder lacks the file or a tensor */
export async function loadMoments(folder: FolderReader, { firstMoment, secondMoment }: Optimizer): Promise<void> {
  const source = await folder.open(OPTIMIZER);
  if (source === undefined)
    throw new UserError(
      `${folder.path}: has no ${OPTIMIZER}, so training cannot go on from it; resume from an earlier checkpoint`,
    );
  const file = await SafetensorsFile.open(source, `${folder.path}/${OPTIMIZER}`);
  await restore(file, FIRST, firstMoment);
  await restore(file, SECOND, secondMoment);
}

async function restore(file: SafetensorsFile, prefix: string, values: Moments): Promise<void> {
  await values.load(async ({ hfName, shape }) => {
    const data = await file.floats(prefix + hfName);
    const expected = shape.reduce((product, size) => product * size, 1);
    if (data.length !== expected)
      throw new UserError(`${file.file}: tensor ${prefix}${hfName} has ${data.length} values; expected ${expected}`);
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new UserError(
        `${file.file}: tensor ${prefix}${hfName} holds ${data[bad]} at index ${bad}; expected finite moments, resume from an earlier checkpoint`,
      );
    return data;
  });
}
