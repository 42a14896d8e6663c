/** What AdamW is told at a step, from the options. */
import type { AdamWStep } from "../../kernels/optimizer";
import type { TrainOptions } from "../options/train";
import { learningRateAt } from "./schedule";

type AdamWOptions = Pick<TrainOptions, "adamBeta1" | "adamBeta2" | "adamEpsilon" | "weightDecay" | "maxGradNorm">;

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

/** The same for reinforcement learning, which leaves updates out whose norm is above `--skip-grad-norm`. */
export function updateSettings(
  options: AdamWOptions & Pick<TrainOptions, "skipGradNorm">,
  learningRate: number,
): Omit<AdamWStep, "step"> {
  const { skipGradNorm: skipNorm } = options;
  return { ...adamwSettings(options, learningRate), ...(skipNorm !== null && { skipNorm }) };
}

/** The learning rate of a step of reinforcement learning whose highest is `peak`. */
export function rateOfStep(
  options: Pick<TrainOptions, "lrSchedulerType" | "warmupSteps" | "maxSteps" | "minLrRate">,
  peak: number,
  step: number,
): number {
  const { lrSchedulerType: name, warmupSteps, maxSteps: totalSteps, minLrRate: finalFraction } = options;
  return learningRateAt({ name, peak, warmupSteps, totalSteps, finalFraction, decaySteps: 0 }, step);
}
