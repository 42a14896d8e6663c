/** Entry of a grading worker of a page. */
import { type GradeResult, gradeTrajectory } from "../../reward/grade";
import type { GradeRequest, WorkerReply } from "../../reward/workers";

const reply = (message: WorkerReply<GradeResult>) => self.postMessage(message);
self.onmessage = ({ data: { job, options } }: MessageEvent<GradeRequest>) =>
  reply({ kind: "result", result: gradeTrajectory(job, options) });
reply({ kind: "ready" });
