import type { GradeJob, GradeOptions, GradeResult } from "../../reward/grade";

/** To the worker: one job at a time. */
export interface GradeRequest {
  readonly job: GradeJob;
  readonly options: GradeOptions;
}

/** From the worker: once when it has started, then one result per job. */
export type GradeReply = { readonly kind: "ready" } | { readonly kind: "result"; readonly result: GradeResult };
