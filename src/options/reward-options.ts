/** What the options say of grading, in the terms of src/reward. */
import type { GradeOptions } from "../reward/grade";
import { type CustomReward, selectRewards } from "../reward/selection";
import type { TrainOptions } from "./train-options";

/** The options that grading depends on; a command without a choice of functions rewards accuracy. */
export type RewardOptions = Pick<TrainOptions, "rewardScope" | "maxCompletionLength"> &
  Partial<Pick<TrainOptions, "rewardFuncs" | "rewardWeights" | "softPunishCache" | "gradingProfile" | "rewardTimeout">>;

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
