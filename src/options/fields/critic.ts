/** Options of the critic, in the words of TRL's PPOConfig where it has them. Read with --advantage-estimator gae. */
import * as z from "zod";
import { about } from "../option";

export const criticFields = {
  critic: z
    .enum(["separate", "shared"])
    .default("separate")
    .meta(about("Critic", "separate: a second model; shared: one more output of the model that is trained")),
  lam: z.number().min(0).max(1).default(0.95).meta(about("Critic", "lambda of generalised advantage estimation")),
  gaeObservations: z
    .enum(["skipped", "carried", "reset"])
    .default("skipped")
    .meta(
      about(
        "Critic",
        "outputs of tools in that estimate: no time steps; steps of value 0; the end of all credit before (ZeroTIR's first code)",
      ),
    ),
  criticLearningRate: z.number().min(0).default(1e-5).meta(about("Critic", "AdamW's step size for a separate critic")),
  criticWarmupSteps: z.int().min(0).default(0).meta(about("Critic", "first steps, in which only the critic learns")),
  criticMiniBatches: z
    .int()
    .min(1)
    .default(1)
    .meta(
      about(
        "Critic",
        "optimizer steps of a separate critic per rollout batch, each on its part of it; --num-iterations is the policy's alone",
      ),
    ),
  cliprangeValue: z
    .number()
    .gt(0)
    .nullable()
    .default(0.5)
    .meta(about("Critic", "how far a value may move in one step before its loss is clipped; none: no clip")),
  vfCoef: z.number().min(0).default(0.1).meta(about("Critic", "weight of the value loss beside the policy's, shared")),
};

/** Whether the model that is trained has a value head too. */
export function hasSharedCritic(options: { readonly advantageEstimator: string; readonly critic: string }): boolean {
  return options.advantageEstimator === "gae" && options.critic === "shared";
}
