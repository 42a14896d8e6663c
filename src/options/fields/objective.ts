/** Options of advantages, loss and masks. */
import * as z from "zod";
import { advantageEstimators } from "../../rl/estimators";
import { sampleMaskNames } from "../../rl/filters";
import { about, aboutNames } from "../option";

export const objectiveFields = {
  advantageEstimator: z
    .enum([...advantageEstimators, "gae"])
    .default("grpo")
    .meta(about("Objective", "baseline and scale of the advantages; remax: a greedy answer; gae: a critic (PPO)")),
  scaleRewards: z
    .enum(["group", "batch", "none"])
    .default("group")
    .meta(about("Objective", "standard deviation that divides grpo advantages; none is Dr. GRPO")),
  gamma: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .meta(about("Objective", "discount per sampled token, of the reinforce estimators and of gae")),
  lossType: z
    .enum(["dapo", "grpo", "dr_grpo", "bnpo", "cispo", "sapo", "policy_gradient"])
    .default("dapo")
    .meta(
      about(
        "Objective",
        "dapo, bnpo: mean over all tokens; grpo: over sequences; dr_grpo: sum over a constant length; cispo: clipped weights; sapo: soft clip; policy_gradient: no ratio",
      ),
    ),
  lossAggregation: z
    .enum(["token-mean", "seq-mean-token-mean", "seq-mean-token-sum", "seq-mean-token-sum-norm"])
    .nullable()
    .default(null)
    .meta(about("Objective", "how token losses become one; none: what --loss-type says")),
  importanceSamplingLevel: z
    .enum(["token", "sequence"])
    .default("token")
    .meta(about("Objective", "sequence: one ratio per trajectory (GSPO)")),
  sapoTemperaturePos: z.number().gt(0).default(1).meta(about("Objective", "sapo: temperature at positive advantage")),
  sapoTemperatureNeg: z
    .number()
    .gt(0)
    .default(1.05)
    .meta(about("Objective", "sapo: temperature at negative advantage")),
  entropyCoefficient: z.number().min(0).default(0).meta(about("Objective", "weight of the entropy bonus")),
  importanceSamplingMode: z
    .enum(["off", "token_truncate", "token_mask", "sequence_truncate", "sequence_mask", "geometric_mask"])
    .nullable()
    .default(null)
    .meta(
      about(
        "Objective",
        "correction for a sampler that is not the trainer; costs a forward pass; none: token_truncate with --max-staleness 1, else off",
      ),
    ),
  importanceSamplingCap: z
    .number()
    .gt(0)
    .default(2)
    .meta(about("Objective", "greatest weight of that correction; 2 in ZeroTIR")),
  importanceSamplingFloor: z
    .number()
    .min(0)
    .default(0)
    .meta(about("Objective", "least weight that the masking corrections let through")),
  beta: z
    .number()
    .min(0)
    .default(0)
    .meta(about("Objective", "weight of the KL penalty to the model that training began with; 0 keeps no such model")),
  klEstimator: z
    .enum(["k1", "k2", "k3", "k3_plus"])
    .default("k3")
    .meta(about("Objective", "estimate of that KL per token; k3_plus: value of k3, gradient of k2")),
  klPlacement: z
    .enum(["loss", "reward"])
    .default("loss")
    .meta(about("Objective", "reward: beta times k1 is taken from each token's reward, as in PPO and REINFORCE++")),
  klTarget: z
    .number()
    .gt(0)
    .nullable()
    .default(null)
    .meta(about("Objective", "KL per token that beta is steered towards after each step; none: beta stays")),
  klHorizon: z
    .number()
    .gt(0)
    .default(10000)
    .meta(about("Objective", "trajectories over which beta may change by a fifth; smaller is faster")),
  promptsPerMiniBatch: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Objective", "prompts per optimizer step; none: all that the filter kept")),
  maskTruncatedCompletions: z
    .boolean()
    .default(false)
    .meta(about("Objective", "leave trajectories that the length cut off out of the loss")),
  sampleMasks: z
    .array(z.enum(sampleMaskNames))
    .min(1)
    .nullable()
    .default(null)
    .meta(aboutNames("Objective", `trajectories left out of the loss: ${sampleMaskNames.join(", ")}`)),
  epsilon: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .meta(about("Objective", "the ratio is clipped below 1 - epsilon; 1: never")),
  epsilonHigh: z
    .number()
    .min(0)
    .nullable()
    .default(null)
    .meta(about("Objective", "the ratio is clipped above 1 + epsilon-high; none: the same as epsilon")),
  delta: z
    .number()
    .gt(1)
    .nullable()
    .default(null)
    .meta(about("Objective", "dual clip: bound of the ratio at negative advantage")),
  numIterations: z
    .int()
    .min(1)
    .default(1)
    .meta(about("Objective", "passes over a batch of trajectories, each token with the log-prob it was sampled with")),
};
