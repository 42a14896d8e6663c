import * as z from "zod";
import { UserError } from "../base/errors";
import { type FolderReader, readText } from "../model/folder";
import { bestCheckpoint } from "./best-checkpoint";

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
  /** Of reinforcement learning: steps in a row, the last one included, in which every update was left out; absent for 0. */
  skipped_steps: z.int().min(1).optional(),
  /** With --metric-for-best-model: the best checkpoint so far, this one included. */
  best: bestCheckpoint.optional(),
  /** Weight of the KL penalty, where it is steered. */
  kl_coefficient: z.number().min(0).optional(),
  /** Updates that the AdamW of a separate critic has made. */
  critic_step: z.int().min(0).optional(),
});

/** What a checkpoint keeps beside weights, moments and a batch sampled ahead. Everything else follows from the step and the seed. */
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
