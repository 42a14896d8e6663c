/** Entry of a reward thread; built to dist/workers/reward.js. */
import { parentPort } from "node:worker_threads";
import { reasonOf, UserError } from "../../base/errors";
import { type CustomRewardFunction, callReward, type RewardBatch, type RewardScores } from "../../reward/custom";
import { type GradeResult, gradeTrajectory } from "../../reward/grade";
import type { GradeRequest, WorkerReply } from "../../reward/workers";

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

const port = parentPort;
if (port === null) throw new Error("the reward worker runs only as a worker thread");
const reply = (message: WorkerReply<GradeResult | ScoreResult>) => port.postMessage(message);
port.on("message", async (request: GradeRequest | ScoreRequest) => {
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
    throw new UserError(`${label}: cannot be loaded: ${reasonOf(error)}`);
  }
  const found = exports[exportName];
  if (isFunction(found)) return found;
  const others = Object.keys(exports).filter((name) => name !== "default" && isFunction(exports[name]));
  const file = exportName === "default" ? label : label.slice(0, -exportName.length - 1);
  const missing =
    exportName === "default" ? "has no default export that is a function" : `exports no function ${exportName}`;
  const advice = others.length > 0 ? `; write ${others.map((name) => `${file}:${name}`).join(" or ")}` : "";
  throw new UserError(`${label}: ${missing}${advice}`);
}

/** What it takes and returns is checked at each call. */
function isFunction(value: unknown): value is CustomRewardFunction {
  return typeof value === "function";
}
