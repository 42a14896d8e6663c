import { accuracy } from "./accuracy";
import { dapo } from "./dapo";
import { executionPenalty } from "./execution-penalty";
import type { RewardFunction } from "./function";
import { repetitionPenalty } from "./repetition-penalty";
import { simplerl } from "./simplerl";
import { softOverlongPunishment } from "./soft-overlong-punishment";
import { torl } from "./torl";
import { zerotir } from "./zerotir";

/** The functions that `--reward-funcs` takes by name. */
export const builtInRewards = {
  accuracy,
  zerotir,
  torl,
  execution_penalty: executionPenalty,
  simplerl,
  dapo,
  soft_overlong_punishment: softOverlongPunishment,
  repetition_penalty: repetitionPenalty,
} as const satisfies Record<string, RewardFunction>;

export type BuiltInReward = keyof typeof builtInRewards;

export function isBuiltInReward(name: string): name is BuiltInReward {
  return Object.hasOwn(builtInRewards, name);
}
