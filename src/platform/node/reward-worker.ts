/** Entry of a reward thread; built to dist/workers/reward.js. */
import { parentPort } from "node:worker_threads";
import { UserError } from "../../base/errors";
import { type CustomRewardFunction, callReward } from "../../reward/custom";
import { gradeTrajectory } from "../../reward/grade";
import type { RewardReply, RewardRequest, ScoreRequest, ScoreResult } from "./reward-protocol";

const port = parentPort;
if (port === null) throw new Error("the reward worker runs only as a worker thread");
const reply = (message: RewardReply) => port.postMessage(message);
port.on("message", async (request: RewardRequest) => {
  if (request.kind === "grade") reply({ kind: "result", result: gradeTrajectory(request.job, request.options) });
  else reply({ kind: "result", result: await score(request) });
});
reply({ kind: "ready" });

async function score(request: ScoreRequest): Promise<ScoreResult> {
  try {
    const reward = await load(request);
    return request.batch === null
      ? { values: [], extra: {}, metrics: {} }
      : await callReward(reward, request.label, request.batch);
  } catch (error) {
    if (error instanceof UserError) return { mistake: error.message };
    throw error;
  }
}

async function load({ url, exportName, label }: ScoreRequest): Promise<CustomRewardFunction> {
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = await import(/* @vite-ignore */ url);
  } catch (error) {
    throw new UserError(`${label}: cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  const found = exports[exportName];
  if (isFunction(found)) return found;
  const others = Object.keys(exports).filter((name) => name !== "default" && isFunction(exports[name]));
  const file = exportName === "default" ? label : label.slice(0, -exportName.length - 1);
  throw new UserError(
    `${label}: ${exportName === "default" ? "has no default export that is a function" : `exports no function ${exportName}`}${
      others.length > 0 ? `; write ${others.map((name) => `${file}:${name}`).join(" or ")}` : ""
    }`,
  );
}

/** What it takes and returns is checked at each call. */
function isFunction(value: unknown): value is CustomRewardFunction {
  return typeof value === "function";
}
