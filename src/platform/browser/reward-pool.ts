import { UserError } from "../../base/errors";
import { type CustomRewardFunction, callsOf, gradeGroupBy, rewardLabel } from "../../reward/custom";
import type { GradeOptions, GradeResult } from "../../reward/grade";
import type { RewardPool } from "../../reward/pool";
import type { CustomReward } from "../../reward/selection";
import { type GradeRequest, gradeBy, RewardWorkers, type SpawnRewardWorker } from "../../reward/workers";

export interface BrowserRewardPoolOptions {
  readonly builtIn: GradeOptions;
  readonly custom: readonly CustomReward[];
  /** The functions that `custom` names. */
  readonly functions?: Readonly<Record<string, CustomRewardFunction>>;
  readonly timeoutMs: number;
}

/**
 * Grades in a worker, which is ended with its job when that takes too long. Functions of the page's own are values, so
 * they are called in this thread: the limit then ends the wait for a promise, not a loop.
 * @throws UserError for a custom function in a file: an address in a link must not bring code into the page
 */
export function browserRewardPool({
  builtIn,
  custom,
  functions = {},
  timeoutMs,
}: BrowserRewardPoolOptions): RewardPool {
  for (const reward of custom)
    if (!Object.hasOwn(functions, reward.name) || reward.file !== null)
      throw new UserError(`--reward-funcs ${rewardLabel(reward)}: a page takes functions as values, not from files`);
  const graders = new RewardWorkers(spawn, { workers: 1, timeoutMs });
  const call = callsOf(functions, timeoutMs);
  return {
    grade: gradeBy(graders, builtIn),
    ...(custom.length === 0 ? {} : { gradeGroup: gradeGroupBy(custom, builtIn.scope ?? "model-tokens", call) }),
    close: () => graders.close(),
  };
}

const spawn: SpawnRewardWorker<GradeRequest, GradeResult> = (onReply, { ended }) => {
  const worker = new Worker(new URL("./reward-worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = (event) => onReply(event.data);
  worker.onerror = (event) => ended(new Error(event.message));
  worker.onmessageerror = () => ended(new Error("a message could not be read"));
  return {
    post: (request) => worker.postMessage(request),
    // A worker does not keep a page open.
    hold: () => {},
    terminate: async () => worker.terminate(),
  };
};
