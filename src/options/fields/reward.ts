/** What is rewarded, how answers are graded, and both in the terms of src/reward. */
import * as z from "zod";
import { builtInRewards } from "../../reward/functions";
import type { GradeOptions } from "../../reward/grade";
import { type CustomReward, selectRewards } from "../../reward/selection";
import { gradingProfiles } from "../../reward/verify";
import { about, aboutNames, type OptionsOf } from "../option";
import type { Rule } from "../rule";

/** What is rewarded. */
export const rewardFields = {
  rewardFuncs: z
    .array(z.string().min(1))
    .min(1)
    .default(["accuracy"])
    .meta(
      aboutNames(
        "Objective",
        `what is rewarded: names among ${Object.keys(builtInRewards).join(", ")}, or file.mjs, or file.mjs:export`,
      ),
    ),
  rewardWeights: z
    .array(z.number())
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Objective", "weight of each reward function in the sum; none: all 1")),
  softPunishCache: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(
      about(
        "Objective",
        "soft_overlong_punishment: tokens before --max-completion-length where it begins; none: a fifth",
      ),
    ),
};

/** How answers are graded. */
export const gradingFields = {
  rewardScope: z
    .enum(["model-tokens", "full-text"])
    .default("model-tokens")
    .meta(about("Objective", "text the grader reads: only what the model wrote, or observations too")),
  gradingProfile: z
    .enum(gradingProfiles)
    .nullable()
    .default(null)
    .meta(about("Objective", "rules for reading and comparing answers; none: those of the reward function, else math")),
  rewardTimeout: z
    .number()
    .min(0.001)
    .max(3600)
    .default(10)
    .meta(about("Objective", "seconds for grading a trajectory, or a group by a function of your own")),
};

type RewardChoice = OptionsOf<typeof rewardFields>;
type GradingOptions = OptionsOf<typeof gradingFields>;

/** The options that grading depends on; a command without a choice of functions rewards accuracy. */
export type RewardOptions = Pick<GradingOptions, "rewardScope"> &
  Partial<GradingOptions & RewardChoice> & { readonly maxCompletionLength: number };

/** Functions that exist, and a weight for each. */
export const rewardRule: Rule<Pick<RewardChoice, "rewardFuncs" | "rewardWeights">> = {
  keys: ["rewardFuncs", "rewardWeights"],
  check: ({ rewardFuncs, rewardWeights }, functions) => void selectRewards(rewardFuncs, rewardWeights, functions),
};

/** How a host has to grade. */
export interface GradingPlan {
  readonly builtIn: GradeOptions;
  readonly custom: readonly CustomReward[];
  readonly timeoutMs: number;
}

/** DAPO's share of the length in which its punishment rises: 4096 of 20480. */
const PUNISHED_SHARE = 0.2;

/**
 * @param values names of functions that the host has as values
 * @throws UserError when the functions and weights do not fit
 */
export function gradingPlan(options: RewardOptions, values: readonly string[] = []): GradingPlan {
  const { builtIn, custom } = selectRewards(options.rewardFuncs ?? ["accuracy"], options.rewardWeights ?? null, values);
  const maxLength = options.maxCompletionLength;
  const profile = options.gradingProfile ?? null;
  return {
    builtIn: {
      scope: options.rewardScope,
      functions: builtIn,
      softOverlong: {
        maxLength,
        cacheLength: options.softPunishCache ?? Math.max(1, Math.floor(PUNISHED_SHARE * maxLength)),
      },
      ...(profile === null ? {} : { profile }),
    },
    custom,
    timeoutMs: 1000 * (options.rewardTimeout ?? 10),
  };
}
