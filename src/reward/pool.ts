import { type GradeJob, type GradeOptions, type GradeResult, gradeTrajectory } from "./grade";

/** Grades trajectories, while others are still being sampled. */
export interface RewardPool {
  /** Never rejects because of what a trajectory says; a grader that fails gives `verifier_failed` 1. */
  grade(job: GradeJob): Promise<GradeResult>;
  /** Ends the workers. Jobs under way are given up: their promises reject. */
  close(): Promise<void>;
}

/** Grades in the calling thread: for a browser tab, and where graders are as cheap as the exact match. */
export function inThreadRewardPool(options: GradeOptions = {}): RewardPool {
  return {
    grade: async (job) => gradeTrajectory(job, options),
    close: async () => {},
  };
}
