import { hasGold, type RewardFunction, wholeResponse } from "./function";

/**
 * ToRL (arXiv 2503.23383): R = +1 for a right boxed answer, -1 for a wrong one or none. Its code penalty is
 * `execution_penalty`.
 */
export const torl: RewardFunction = {
  help: "+1 for a right answer, else -1",
  answer: wholeResponse("math"),
  value: ({ job, verdict }) => (hasGold(job) ? (verdict.verdict ? 1 : -1) : null),
};
