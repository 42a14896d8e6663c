import type { RewardFunction } from "./function";

/**
 * ToRL's executability penalty (arXiv 2503.23383): -0.5 when the last executed block failed, 0 when it ran. Null
 * without an executed block. The paper found no gain from it and left it out of its main runs.
 */
export const executionPenalty: RewardFunction = {
  help: "-0.5 when the last Python block failed, 0 when it ran",
  value: ({ job }) => (job.executions === 0 ? null : job.lastExecutionFailed ? -0.5 : 0),
};
