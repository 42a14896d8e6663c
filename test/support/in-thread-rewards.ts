import { type GradeOptions, gradeTrajectory } from "../../src/reward/grade";
import type { RewardPool } from "../../src/reward/pool";

/** Grades in the calling thread, without a time limit. */
export function inThreadRewardPool(options: GradeOptions = {}): RewardPool {
  return {
    grade: async (job) => gradeTrajectory(job, options),
    close: async () => {},
  };
}
