import type { RewardBatch, RewardScores } from "../../reward/custom";
import type { GradeJob, GradeOptions, GradeResult } from "../../reward/grade";
import type { WorkerReply } from "../../reward/worker-pool";

/** Asks for a grade by the built-in functions. */
export interface GradeRequest {
  readonly kind: "grade";
  readonly job: GradeJob;
  readonly options: GradeOptions;
}

/** Asks for the values of a user's function. */
export interface ScoreRequest {
  readonly kind: "score";
  /** Address of the module. */
  readonly url: string;
  readonly exportName: string;
  /** How errors call the function. */
  readonly label: string;
  /** Null: the function is loaded and not called. */
  readonly batch: RewardBatch | null;
}

/** Scores, or a mistake of the user's in one sentence. */
export type ScoreResult = RewardScores | { readonly mistake: string };

export type RewardRequest = GradeRequest | ScoreRequest;
export type RewardReply = WorkerReply<GradeResult> | WorkerReply<ScoreResult>;
