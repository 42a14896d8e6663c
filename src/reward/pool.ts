import type { GradeJob, GradeResult } from "./grade";

/** Grades trajectories, while others are still being sampled. */
export interface RewardPool {
  /**
   * Grades by the built-in functions. Never rejects because of what a trajectory says; a grader that fails gives
   * `verifier_failed` 1.
   */
  grade(job: GradeJob): Promise<GradeResult>;
  /**
   * Adds the values of custom functions, which see a group at once; missing when there are none.
   * @throws UserError when a function does not do what it should
   */
  readonly gradeGroup?: (group: GradedGroup) => Promise<readonly GradeResult[]>;
  /** Ends the workers. Jobs under way are given up: their promises reject. */
  close(): Promise<void>;
}

/** The trajectories of one prompt, all graded by the built-in functions. */
export interface GradedGroup {
  /** As the model saw it. */
  readonly prompt: string;
  /** The other columns of the row. */
  readonly columns: Readonly<Record<string, unknown>>;
  readonly jobs: readonly GradeJob[];
  readonly grades: readonly GradeResult[];
}
