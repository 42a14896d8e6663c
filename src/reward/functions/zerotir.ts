import { afterThinking, answerTagsValid } from "../answer-tags";
import { hasGold, type RewardFunction } from "./function";

/**
 * ZeroTIR (arXiv 2505.07773, its published reward code): R = 1 when the response passes the format gate and the answer
 * after the last `</think>` is right, else 0. The gate is {@link answerTagsValid}; behind it nothing is verified.
 */
export const zerotir: RewardFunction = {
  help: "1 for a right answer in valid <answer> tags, else 0",
  answer: {
    profile: "zerotir",
    part: (response, job) => (answerTagsValid(response, job.finishReason) ? afterThinking(response) : null),
  },
  value: ({ job, verdict }) => (hasGold(job) ? Number(verdict.verdict) : null),
};
