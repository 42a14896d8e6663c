import { hasGold, type RewardFunction, wholeResponse } from "./function";

/** DAPO (arXiv 2503.14476): R = +1 when the last `Answer:` line near the end of the response is right, else -1. */
export const dapo: RewardFunction = {
  help: "+1 for a right `Answer:` line, else -1",
  answer: wholeResponse("dapo"),
  value: ({ job, verdict }) => (hasGold(job) ? (verdict.verdict ? 1 : -1) : null),
};
