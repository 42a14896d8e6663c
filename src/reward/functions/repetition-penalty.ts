import { trigramRepetition } from "../repetition";
import type { RewardFunction } from "./function";

/** N-gram repetition penalty (arXiv 2502.03373, appendix C.2) with word trigrams: -(1 - distinct / total). */
export const repetitionPenalty: RewardFunction = {
  help: "0 down to -1 with the share of repeated word trigrams",
  value: ({ response }) => 0 - trigramRepetition(response),
};
