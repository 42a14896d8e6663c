/** Grading in workers of either platform, each job within its time: one that hangs is ended with its worker. */
import { type Outcome, type PoolWorker, type WorkerEvents, WorkerPool } from "../base/worker-pool";
import { failedGrade, type GradeJob, type GradeOptions, type GradeResult } from "./grade";
import type { RewardPool } from "./pool";

/** A trajectory to grade by the built-in functions. */
export interface GradeRequest {
  readonly kind: "grade";
  readonly job: GradeJob;
  readonly options: GradeOptions;
}

/** From a worker: once when it has started, then one result per request. */
export type WorkerReply<Result> = { readonly kind: "ready" } | { readonly kind: "result"; readonly result: Result };

/** Starts a worker. It answers with {@link WorkerReply}s, which the platform hands to `onReply`. */
export type SpawnRewardWorker<Request, Result> = (
  onReply: (reply: WorkerReply<Result>) => void,
  events: Pick<WorkerEvents<Result>, "ended">,
) => PoolWorker<Request>;

/** A busy machine may need long. */
const START = { ms: 30_000, message: "no sign of life in 30 s" } as const;

/** How a request ended: `died` when it took its worker along, twice. */
export type RewardOutcome<Result> = Extract<Outcome<Result>, { kind: "result" | "timeout" | "died" }>;

/** Workers that are started when there is work, and take one request at a time. */
export class RewardWorkers<Request, Result> {
  readonly #pool: WorkerPool<Request, Result>;

  constructor(
    spawn: SpawnRewardWorker<Request, Result>,
    { workers, timeoutMs }: { readonly workers: number; readonly timeoutMs: number },
  ) {
    this.#pool = new WorkerPool({
      ...{ workers, limitMs: () => timeoutMs, tries: 2, starts: 1, startLimit: START },
      spawn: (events) =>
        spawn((reply) => (reply.kind === "ready" ? events.ready() : events.result(reply.result)), events),
    });
  }

  /** Rejects when no worker can start, and when the workers are closed before the end. */
  async run(request: Request): Promise<RewardOutcome<Result>> {
    const outcome = await this.#pool.run(request);
    if (outcome.kind === "unstarted") throw new Error(`the reward worker did not start: ${outcome.why.message}`);
    if (outcome.kind === "closed") throw new Error("the reward pool is closed");
    return outcome;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** `grade` of a pool: what outlasts its time, or kills its worker twice, is answered with `verifier_failed`. */
export function gradeBy(workers: RewardWorkers<GradeRequest, GradeResult>, options: GradeOptions): RewardPool["grade"] {
  return async (job) => {
    const outcome = await workers.run({ kind: "grade", job, options });
    return outcome.kind === "result" ? outcome.result : failedGrade(job, options);
  };
}
