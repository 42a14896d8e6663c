/** AdamW, and the course of the learning rate. */
import * as z from "zod";
import { optimizerKinds } from "../../model/optimizer";
import { about, type OptionsOf } from "../option";

const positive = z.number().gt(0);
const share = z.number().min(0).max(1);

/** AdamW and its schedule. */
export const optimizerFields = {
  optim: z
    .enum(optimizerKinds)
    .default("adamw")
    .meta(about("Optimizer", "moments of AdamW: f32, or adamw_8bit: a quarter of the memory")),
  minLrRate: share.default(0).meta(about("Optimizer", "lowest learning rate, as a share of the highest")),
  warmupSteps: z.int().min(0).default(0).meta(about("Optimizer", "steps of linear rise from 0")),
  adamBeta1: z.number().min(0).lt(1).default(0.9).meta(about("Optimizer", "decay of the mean of gradients")),
  adamBeta2: z.number().min(0).lt(1).default(0.999).meta(about("Optimizer", "decay of the mean of squared gradients")),
  adamEpsilon: positive.default(1e-8).meta(about("Optimizer", "added to the root of the squared mean")),
  weightDecay: z.number().min(0).default(0).meta(about("Optimizer", "decoupled decay, of matrices only")),
  maxGradNorm: positive.nullable().default(1).meta(about("Optimizer", "global gradient norm is clipped to this")),
};

/** The course of the learning rate in training on given texts. */
export const scheduleFields = {
  lrSchedulerType: z
    .enum(["constant", "linear", "cosine", "wsd"])
    .default("cosine")
    .meta(about("Optimizer", "course of the learning rate after warm-up; wsd: constant, then down at the end")),
  lrDecayShare: positive.max(1).default(0.2).meta(about("Optimizer", "share of the steps in which wsd comes down")),
  lrDecaySteps: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .meta(about("Optimizer", "steps in which wsd comes down, instead of a share; 0: constant to the end")),
};

export type OptimizerOptions = OptionsOf<typeof optimizerFields>;
export type ScheduleOptions = OptionsOf<typeof scheduleFields>;
