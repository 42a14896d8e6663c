import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker, type WorkerOptions } from "node:worker_threads";
import { reasonOf, UserError } from "../../base/errors";
import { type CustomRewardFunction, callsOf, gradeGroupBy, type RewardBatch, rewardLabel } from "../../reward/custom";
import type { GradeOptions, GradeResult } from "../../reward/grade";
import type { RewardPool } from "../../reward/pool";
import type { CustomReward } from "../../reward/selection";
import {
  type GradeRequest,
  gradeBy,
  RewardWorkers,
  type SpawnRewardWorker,
  type WorkerReply,
} from "../../reward/workers";
import { packageRoot } from "../../sandbox/node/paths";
import type { ScoreRequest, ScoreResult } from "./reward-worker";

export interface NodeRewardPoolOptions {
  readonly builtIn?: GradeOptions;
  /** Functions in files, or of `functions`. */
  readonly custom?: readonly CustomReward[];
  /** Functions of the embedding program; they are called in this thread, where no limit can end a loop. */
  readonly functions?: Readonly<Record<string, CustomRewardFunction>>;
  /** Grading threads; default 1. Custom functions have a thread of their own. */
  readonly workers?: number;
  /** A job that takes longer counts as failed, and its thread is replaced. Default 10 s. */
  readonly timeoutMs?: number;
  /** The built worker; default dist/workers/reward.js of this package. */
  readonly workerFile?: string;
}

/**
 * Grades in worker threads, so that grading never holds up the thread that feeds the GPU. A thread takes one job at a
 * time. A job that outlasts its time, or that kills its thread twice, is answered with `verifier_failed`. Where no
 * thread can start, the job rejects: grades would otherwise silently all be 0.
 * @throws Error when the worker has not been built; UserError when a custom function cannot be loaded
 */
export async function nodeRewardPool(options: NodeRewardPoolOptions = {}): Promise<RewardPool> {
  const { builtIn = {}, custom = [], functions = {}, workers = 1, timeoutMs = 10_000 } = options;
  const file = options.workerFile ?? join(packageRoot(), "dist", "workers", "reward.js");
  if (!existsSync(file)) throw new Error(`${file} is missing; run \`npm run build\` to make it`);
  const graders = new RewardWorkers<GradeRequest, GradeResult>(thread(file, { env: {} }), { workers, timeoutMs });
  const scorer = new RewardWorkers<ScoreRequest, ScoreResult>(thread(file), { workers: 1, timeoutMs });
  const close = async () => void (await Promise.all([graders.close(), scorer.close()]));
  const callValue = callsOf(functions, timeoutMs);
  const score = async (reward: CustomReward, batch: RewardBatch | null) => {
    const { file, exportName } = reward;
    if (file === null) return batch === null ? undefined : callValue(reward, batch);
    const label = rewardLabel(reward);
    const outcome = await scorer.run({
      kind: "score",
      url: pathToFileURL(resolve(file)).href,
      exportName,
      label,
      batch,
    });
    if (outcome.kind === "timeout") return undefined;
    if (outcome.kind === "died") throw new UserError(`${label}: ended the thread that it ran in; it must not exit`);
    if ("mistake" in outcome.result) throw new UserError(outcome.result.mistake);
    return outcome.result;
  };
  try {
    for (const reward of custom) {
      if (reward.file === null) continue;
      if (!existsSync(reward.file)) throw new UserError(`--reward-funcs ${rewardLabel(reward)}: no such file`);
      if ((await score(reward, null)) === undefined)
        throw new UserError(`${rewardLabel(reward)}: loading it takes more than --reward-timeout ${timeoutMs / 1000}`);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    grade: gradeBy(graders, builtIn),
    ...(custom.length === 0 ? {} : { gradeGroup: gradeGroupBy(custom, builtIn.scope ?? "model-tokens", score) }),
    close,
  };
}

/** Threads of the built worker. What they print goes to standard error: standard output may be JSON lines. */
function thread<Request, Result>(file: string, options: WorkerOptions = {}): SpawnRewardWorker<Request, Result> {
  return (onReply, { ended }) => {
    const worker = new Worker(file, { ...options, stdout: true, resourceLimits: { maxOldGenerationSizeMb: 256 } });
    worker.stdout.pipe(process.stderr, { end: false });
    let problem = "";
    worker.on("error", (error) => {
      problem = reasonOf(error);
    });
    worker.on("message", (reply: WorkerReply<Result>) => onReply(reply));
    worker.on("exit", (code) => ended(new Error(problem || `it exited with code ${code}`)));
    return {
      post: (request) => worker.postMessage(request),
      hold: (busy) => (busy ? worker.ref() : worker.unref()),
      async terminate() {
        await worker.terminate();
      },
    };
  };
}
