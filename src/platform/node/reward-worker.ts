/** Entry of a grading thread; built to dist/workers/reward.js. */
import { parentPort } from "node:worker_threads";
import { gradeTrajectory } from "../../reward/grade";
import type { GradeReply, GradeRequest } from "./reward-protocol";

const port = parentPort;
if (port === null) throw new Error("the reward worker runs only as a worker thread");
const reply = (message: GradeReply) => port.postMessage(message);
port.on("message", ({ job, options }: GradeRequest) =>
  reply({ kind: "result", result: gradeTrajectory(job, options) }),
);
reply({ kind: "ready" });
