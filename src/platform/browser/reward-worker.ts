/** Entry of a grading worker of a page. */
import { type GradeJob, type GradeOptions, type GradeResult, gradeTrajectory } from "../../reward/grade";
import type { WorkerReply } from "../../reward/worker-pool";

/** One trajectory to grade by the built-in functions. */
export interface GradeRequest {
  readonly job: GradeJob;
  readonly options: GradeOptions;
}

const reply = (message: WorkerReply<GradeResult>) => self.postMessage(message);
self.onmessage = ({ data: { job, options } }: MessageEvent<GradeRequest>) =>
  reply({ kind: "result", result: gradeTrajectory(job, options) });
reply({ kind: "ready" });
