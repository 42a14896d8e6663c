/** Preset, seed, run folder, checkpoints, log. */
import * as z from "zod";
import { about, type OptionsOf } from "../option";
import { presetNames } from "../presets";

export const presetField = z
  .enum(presetNames)
  .nullable()
  .default(null)
  .meta(about("Run", "a set of options to start from"));

export const seedField = z.int().min(0).max(0xffffffff).default(42);

/** Run folder, checkpoints, log. */
export const runFields = {
  seed: seedField.meta(about("Run", "seed of prompts and sampling; the same seed gives the same run")),
  outputDir: z.string().min(1).nullable().default(null).meta(about("Run", "run folder; none: a new folder in runs/")),
  saveSteps: z.int().min(0).default(50).meta(about("Run", "steps between checkpoints; 0 for one at the end only")),
  saveTotalLimit: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Run", "checkpoints kept; older ones are deleted")),
  resumeFromCheckpoint: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Run", "checkpoint folder to go on from; latest or best: that one of --output-dir")),
  reportTo: z
    .enum(["none", "tensorboard"])
    .default("none")
    .meta(about("Run", "tensorboard: events.out.tfevents.* in the run folder too")),
  loggingSteps: z.int().min(1).default(1).meta(about("Run", "steps between rows of metrics.jsonl")),
};

export type RunOptions = OptionsOf<typeof runFields>;
