/**
 * What a checkpoint holds beside the model: optimizer moments and the training state. Saving and loading are exact, so
 * a resumed run goes on bit for bit.
 */
import * as z from "zod";
import { UserError } from "../base/errors";
import { must } from "../base/must";
import { type FolderReader, type FolderWriter, readText, writeCheckpoint } from "../model/folder";
import type { Moments, Optimizer } from "../model/optimizer";
import { writeAdapter } from "../model/peft";
import { SafetensorsFile } from "../model/safetensors/read";
import { safetensorsChunks } from "../model/safetensors/write";
import { bestCheckpoint } from "./best-checkpoint";
import type { LoadedModel } from "./loaded-model";

const FILE = "trainer_state.json";

const selectionState = z.object({
  /** Questions of the training sequence that have been looked at. */
  next_question: z.int().min(0),
  /** By hash of the prompt: alpha and beta of its posterior, where prompts are selected. */
  posteriors: z.record(z.string(), z.tuple([z.number(), z.number()])).optional(),
});
/** What a checkpoint keeps of the selection. */
export type SelectionState = z.output<typeof selectionState>;

const schema = z.object({
  /** Optimizer steps done. */
  global_step: z.int().min(0),
  /** Updates that AdamW has made; fewer than `global_step` steps where a gradient was not finite. */
  optimizer_step: z.int().min(0),
  /** Tokens seen so far, for the metric of that name. */
  num_tokens: z.int().min(0),
  /** Of prompts and sampling. A run that goes on with another seed would not equal one that never stopped. */
  seed: z.int().min(0),
  /** Of reinforcement learning: where the training questions stand. */
  selection: selectionState.optional(),
  /**
   * Of reinforcement learning: steps in a row, the last one included, in which every update was left out; absent for 0.
   */
  skipped_steps: z.int().min(1).optional(),
  /** With --metric-for-best-model: the best checkpoint so far, this one included. */
  best: bestCheckpoint.optional(),
  /** Weight of the KL penalty, where it is steered. */
  kl_coefficient: z.number().min(0).optional(),
  /** Updates that the AdamW of a separate critic has made. */
  critic_step: z.int().min(0).optional(),
});

/**
 * What a checkpoint keeps beside weights, moments and a batch sampled ahead. Everything else follows from the step and
 * the seed.
 */
export type TrainerState = z.output<typeof schema>;

/** The content of `trainer_state.json`. */
export function trainerStateJson(state: TrainerState): string {
  return `${JSON.stringify(schema.parse(state), null, 2)}\n`;
}

/**
 * Reads a checkpoint's training state.
 *
 * @throws UserError when the folder is not a checkpoint that training can go on from
 */
export async function readTrainerState(checkpoint: FolderReader): Promise<TrainerState> {
  if ((await checkpoint.list()) === undefined)
    throw new UserError(
      `${checkpoint.path}: no such folder; expected a checkpoint such as runs/NAME/checkpoints/step_00050`,
    );
  const text = await readText(checkpoint, FILE);
  if (text === undefined)
    throw new UserError(
      `${checkpoint.path}: has no ${FILE}, so training cannot go on from it; to start from its weights use --model-name-or-path`,
    );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UserError(`${checkpoint.path}/${FILE}: not JSON; resume from an earlier checkpoint`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError(
    `${checkpoint.path}/${FILE}: ${issue?.path.join(".") || "content"} is wrong (${issue?.message}); resume from an earlier checkpoint`,
  );
}

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
    await writeAdapter(
      writer,
      must(loaded.base, "the base of an adapter"),
      model.adapter.layout.config,
      model.trained.toWrite(),
    );
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
