import { hasGold, type RewardFunction, wholeResponse } from "./function";

/**
 * R = 1 when the boxed answer is right, else 0: the outcome reward of ZeroTIR (arXiv 2505.07773), ORZ and
 * DeepSeek-R1-Zero. Null without a gold answer.
 */
export const accuracy: RewardFunction = {
  help: "1 for a right answer, else 0",
  answer: wholeResponse("math"),
  value: ({ job, verdict }) => (hasGold(job) ? Number(verdict.verdict) : null),
};
