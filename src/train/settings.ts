/** Loss, importance correction and AdamW as the options of a run set them. */
import type { AdamWStep } from "../../kernels/adamw";
import type { TrainOptions } from "../options/train";
import type { Aggregation } from "../rl/aggregation";
import type { ImportanceOptions } from "../rl/importance";
import type { LossOptions } from "../rl/objective";
import type { PolicyObjective } from "../rl/policy-term";
import { type AdamWOptions, adamwSettings, learningRateAt } from "../session/optimizer-settings";

const AGGREGATIONS: Record<TrainOptions["lossType"], Aggregation> = {
  dapo: "token-mean",
  bnpo: "token-mean",
  cispo: "token-mean",
  grpo: "seq-mean-token-mean",
  sapo: "seq-mean-token-mean",
  policy_gradient: "token-mean",
  dr_grpo: "seq-mean-token-sum-norm",
};

/** How token losses become one: --loss-aggregation, or what the loss type says. */
export function aggregationOf(options: TrainOptions): Aggregation {
  return options.lossAggregation ?? AGGREGATIONS[options.lossType];
}

/** @param klCoefficient beta of the step; in the loss where it is not in the reward */
export function lossOptions(options: TrainOptions, klCoefficient: number): LossOptions {
  return {
    policy: policyObjective(options),
    ratioLevel: options.importanceSamplingLevel,
    // In the reward it is k1 that counts, so that is what is measured too.
    kl:
      options.klPlacement === "loss"
        ? { estimator: options.klEstimator, coefficient: klCoefficient }
        : { estimator: "k1", coefficient: 0 },
    entropyCoefficient: options.entropyCoefficient,
  };
}

/** The correction for a sampler whose log-probs differ; undefined for none. */
export function importanceOptions(options: TrainOptions): ImportanceOptions | undefined {
  const { importanceSamplingCap: cap, importanceSamplingFloor: floor, maxStaleness } = options;
  const mode = options.importanceSamplingMode ?? (maxStaleness > 0 ? "token_truncate" : "off");
  return mode === "off" ? undefined : { mode, cap, floor };
}

function policyObjective(options: TrainOptions): PolicyObjective {
  const bounds = { epsilonLow: options.epsilon, epsilonHigh: options.epsilonHigh ?? options.epsilon };
  switch (options.lossType) {
    case "cispo":
      return { kind: "cispo", ...bounds };
    case "sapo":
      return {
        kind: "sapo",
        temperaturePositive: options.sapoTemperaturePos,
        temperatureNegative: options.sapoTemperatureNeg,
      };
    case "policy_gradient":
      return { kind: "policy_gradient" };
    case "dapo":
    case "grpo":
    case "dr_grpo":
    case "bnpo":
      return { kind: "clip", ...bounds, ...(options.delta === null ? {} : { dualClip: options.delta }) };
  }
}

/** AdamW's settings; updates whose norm is above `--skip-grad-norm` are left out. */
export function updateSettings(
  options: AdamWOptions & Pick<TrainOptions, "skipGradNorm">,
  learningRate: number,
): Omit<AdamWStep, "step"> {
  const { skipGradNorm: skipNorm } = options;
  return { ...adamwSettings(options, learningRate), ...(skipNorm !== null && { skipNorm }) };
}

/** The learning rate of a step, whose highest is `peak`. */
export function rateOfStep(
  options: Pick<TrainOptions, "lrSchedulerType" | "warmupSteps" | "maxSteps" | "minLrRate">,
  peak: number,
  step: number,
): number {
  const { lrSchedulerType: name, warmupSteps, maxSteps: totalSteps, minLrRate: finalFraction } = options;
  return learningRateAt({ name, peak, warmupSteps, totalSteps, finalFraction, decaySteps: 0 }, step);
}
