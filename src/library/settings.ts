/** What the settings of all trainers have in common. */

import { UserError } from "../base/errors";
import { nearest } from "../base/nearest";
import type { TrainEvents } from "../session/events";

/** A row of a data set as a value; which columns it needs depends on the trainer. */
export type Row = Readonly<Record<string, unknown>>;

/** A name or path as `--dataset` takes them, or rows. */
export type Rows = string | Iterable<Row>;

/** Settings of every trainer. */
export interface TrainerSettings<Args> {
  /** Checkpoint folder in Hugging Face layout, a name of the hub, or `nano-base` for the shipped model. */
  readonly model: string;
  readonly trainDataset: Rows;
  /** The options of the command, in camelCase; those that have a setting of their own are left out. */
  readonly args?: Args;
  /** Told what happens, in order; a handler must not throw. */
  readonly events?: Partial<TrainEvents>;
  /** Aborted: the run saves, then ends with outcome `interrupted`. */
  readonly signal?: AbortSignal;
}

/** Names of {@link TrainerSettings}. */
export const TRAINER_SETTINGS = ["model", "trainDataset", "args", "events", "signal"] as const;

/** An option's value and the rows that it names. */
export interface NamedRows {
  readonly name: string;
  readonly rows: Readonly<Record<string, readonly Row[]>>;
}

/** @throws UserError when it is neither a text nor rows */
export function namedRows(setting: string, data: Rows): NamedRows {
  if (typeof data === "string") return { name: data, rows: {} };
  if (isList(data)) return { name: setting, rows: { [setting]: [...data] } };
  throw new UserError(`${setting}: expected a name, a path or a list of rows such as { prompt: "1+1", answer: "2" }`);
}

/** Whether a setting can be gone through; its type says of what. */
export function isList(value: unknown): boolean {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

/**
 * Settings of a trainer or function, which a JavaScript program may spell as it likes.
 * @throws UserError for one that does not exist, suggesting the nearest one
 */
export function checkSettings(what: string, settings: unknown, known: readonly string[]): void {
  if (typeof settings !== "object" || settings === null)
    throw new UserError(`${what}: expected an object of settings, such as { model: "nano-base", ... }`);
  for (const name of Object.keys(settings))
    if (!known.includes(name))
      throw new UserError(`${what}: unknown setting ${name}; the nearest one is ${nearest(name, known)}`);
}

/** @throws UserError when `args` is no object, or holds an option that a setting decides */
export function checkArgs(args: Readonly<Record<string, unknown>>, decided: Readonly<Record<string, string>>): void {
  if (typeof args !== "object" || args === null || Array.isArray(args))
    throw new UserError("args: expected an object of options, such as { maxSteps: 10 }");
  for (const [option, setting] of Object.entries(decided))
    if (args[option] !== undefined)
      throw new UserError(`args: ${option} stands beside args; give it as ${setting} of the trainer`);
}

/** Handlers where none is given do nothing. */
export function allHandlers(events: Partial<TrainEvents> = {}): TrainEvents {
  return {
    onPlan: (plan) => events.onPlan?.(plan),
    onPhase: (phase, detail) => events.onPhase?.(phase, detail),
    onStep: (row) => events.onStep?.(row),
    onSample: (sample) => events.onSample?.(sample),
    onCheckpoint: (checkpoint) => events.onCheckpoint?.(checkpoint),
    onNotice: (text) => events.onNotice?.(text),
    onFinish: (summary) => events.onFinish?.(summary),
  };
}
