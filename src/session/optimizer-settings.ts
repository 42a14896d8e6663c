/** AdamW at a step: its settings from the options, and the course of the learning rate. */
import type { AdamWStep } from "../../kernels/adamw";
import type { TrainOptions } from "../options/train";

export type AdamWOptions = Pick<
  TrainOptions,
  "adamBeta1" | "adamBeta2" | "adamEpsilon" | "weightDecay" | "maxGradNorm"
>;

/** AdamW's settings from the options, at a learning rate. */
export function adamwSettings(options: AdamWOptions, learningRate: number): Omit<AdamWStep, "step"> {
  return {
    learningRate,
    beta1: options.adamBeta1,
    beta2: options.adamBeta2,
    epsilon: options.adamEpsilon,
    weightDecay: options.weightDecay,
    maxNorm: options.maxGradNorm ?? 0,
  };
}

export type ScheduleName = "constant" | "cosine" | "linear" | "wsd";

export interface Schedule {
  readonly name: ScheduleName;
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
  /** The rate at the end, as a part of the peak: cosine, linear and wsd. */
  readonly finalFraction: number;
  /**
   * Steps at the end in which warmup-stable-decay comes down (linearly). Until then the rate depends on no later step,
   * so a decay can branch off any of them.
   */
  readonly decaySteps: number;
}

/**
 * The rate of update `step`, counted from 1. Warm-up is linear and reaches the peak at `warmupSteps`. A decay is read
 * at the updates already done, as Hugging Face's trainers do, so that the last update still has a rate when the final
 * share is 0.
 */
export function learningRateAt(schedule: Schedule, step: number): number {
  const { peak, warmupSteps, totalSteps, finalFraction } = schedule;
  if (step <= warmupSteps) return (peak * step) / warmupSteps;
  const blend = (progress: number) => peak * (finalFraction + (1 - finalFraction) * progress);
  const done = step - 1;
  const progress = Math.min(1, (done - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  if (schedule.name === "cosine") return blend((1 + Math.cos(Math.PI * progress)) / 2);
  if (schedule.name === "linear") return blend(1 - progress);
  if (schedule.name === "wsd") {
    const decayStart = totalSteps - Math.min(schedule.decaySteps, totalSteps);
    return done < decayStart ? peak : blend(Math.max(0, (totalSteps - done) / Math.max(1, totalSteps - decayStart)));
  }
  return peak;
}
