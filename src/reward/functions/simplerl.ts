import { countBoxed } from "../boxed";
import { hasGold, type RewardFunction, wholeResponse } from "./function";

/**
 * SimpleRL-Zoo's reward of type `mix` (arXiv 2503.18892): +1 for a right answer, -0.5 for a wrong one, -1 when there is
 * no box.
 */
export const simplerl: RewardFunction = {
  help: "+1 for a right answer, -0.5 for a wrong one, -1 without a box",
  answer: wholeResponse("qwen"),
  value: ({ job, response, verdict }) => {
    if (!hasGold(job)) return null;
    if (countBoxed(response) === 0) return -1;
    return verdict.verdict ? 1 : -0.5;
  },
};
