import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { failedGrade, type GradeJob, type GradeOptions, type GradeResult } from "../../reward/grade";
import type { RewardPool } from "../../reward/pool";
import { packageRoot } from "../../sandbox/node/paths";
import type { GradeReply, GradeRequest } from "./reward-protocol";

export interface NodeRewardPoolOptions extends GradeOptions {
  /** Grading threads; default 1. */
  readonly workers?: number;
  /** A job that takes longer counts as failed, and its thread is replaced. Default 10 s. */
  readonly timeoutMs?: number;
  /** The built worker; default dist/workers/reward.js of this package. */
  readonly workerFile?: string;
}

/** How often a job is tried when its thread dies. */
const ATTEMPTS = 2;

/** Time a thread has for starting, besides the time for its first job: a busy machine may need long. */
const START_MS = 30_000;

/**
 * Grades in worker threads, so that grading never holds up the thread that feeds the GPU. A thread takes one job at a time. A job that
 * outlasts its time, or that kills its thread twice, is answered with `verifier_failed`. A thread that cannot start rejects the job: grades
 * would otherwise silently all be 0.
 * @throws Error when the worker has not been built.
 */
export function nodeRewardPool(options: NodeRewardPoolOptions = {}): RewardPool {
  const { workers = 1, timeoutMs = 10_000, workerFile, ...gradeOptions } = options;
  const file = workerFile ?? join(packageRoot(), "dist", "workers", "reward.js");
  if (!existsSync(file)) throw new Error(`${file} is missing; run \`npm run build\` to make it`);
  return new ThreadPool(file, Math.max(1, workers), timeoutMs, gradeOptions);
}

interface Task {
  readonly job: GradeJob;
  readonly resolve: (result: GradeResult) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
}

class ThreadPool implements RewardPool {
  readonly #file: string;
  readonly #size: number;
  readonly #timeoutMs: number;
  readonly #options: GradeOptions;
  readonly #queue: Task[] = [];
  readonly #threads = new Set<GradingThread>();
  #closed = false;

  constructor(file: string, size: number, timeoutMs: number, options: GradeOptions) {
    this.#file = file;
    this.#size = size;
    this.#timeoutMs = timeoutMs;
    this.#options = options;
  }

  grade(job: GradeJob): Promise<GradeResult> {
    if (this.#closed) return Promise.reject(new Error("the reward pool is closed"));
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, resolve, reject, attempts: 0 });
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const task of this.#queue.splice(0)) task.reject(new Error("the reward pool was closed"));
    await Promise.all([...this.#threads].map((thread) => thread.end()));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const idle = [...this.#threads].find((thread) => !thread.busy);
      if (idle === undefined && this.#threads.size >= this.#size) return;
      const task = this.#queue.shift();
      if (task !== undefined) void this.#run(idle ?? this.#start(), task);
    }
  }

  #start(): GradingThread {
    const thread = new GradingThread(this.#file);
    this.#threads.add(thread);
    return thread;
  }

  async #run(thread: GradingThread, task: Task): Promise<void> {
    task.attempts += 1;
    const outcome = await thread.run({ job: task.job, options: this.#options }, this.#timeoutMs);
    if (outcome.kind !== "result") this.#threads.delete(thread);
    if (outcome.kind === "result") task.resolve(outcome.result);
    else if (this.#closed) task.reject(new Error("the reward pool was closed"));
    else if (outcome.kind === "unstartable")
      task.reject(new Error(`the reward worker ${this.#file} did not start: ${outcome.message}`));
    else if (outcome.kind === "died" && task.attempts < ATTEMPTS) this.#queue.unshift(task);
    else task.resolve(failedGrade(task.job, this.#options));
    this.#dispatch();
  }
}

type Outcome =
  | { readonly kind: "result"; readonly result: GradeResult }
  | { readonly kind: "timeout" | "died" }
  | { readonly kind: "unstartable"; readonly message: string };

class GradingThread {
  busy = false;
  readonly #worker: Worker;
  #ready = false;
  #error = "";

  constructor(file: string) {
    this.#worker = new Worker(file, { env: {}, resourceLimits: { maxOldGenerationSizeMb: 256 } });
    this.#worker.on("error", (error) => {
      this.#error = error instanceof Error ? error.message : String(error);
    });
    this.#worker.on("message", (reply: GradeReply) => {
      if (reply.kind === "ready") this.#ready = true;
    });
  }

  /** Runs one job. After any outcome but a result the thread is gone. Idle threads do not keep the process alive. */
  async run(request: GradeRequest, timeoutMs: number): Promise<Outcome> {
    this.busy = true;
    this.#worker.ref();
    const outcome = await new Promise<Outcome>((settle) => {
      const limit = this.#ready ? timeoutMs : timeoutMs + START_MS;
      const timer = setTimeout(
        () =>
          finish(
            this.#ready ? { kind: "timeout" } : { kind: "unstartable", message: `no sign of life in ${limit} ms` },
          ),
        limit,
      );
      const onMessage = (reply: GradeReply) => {
        if (reply.kind === "result") finish({ kind: "result", result: reply.result });
      };
      const onExit = (code: number) =>
        finish(
          this.#ready
            ? { kind: "died" }
            : { kind: "unstartable", message: this.#error || `it exited with code ${code}` },
        );
      const finish = (result: Outcome) => {
        clearTimeout(timer);
        this.#worker.off("message", onMessage);
        this.#worker.off("exit", onExit);
        settle(result);
      };
      this.#worker.on("message", onMessage);
      this.#worker.on("exit", onExit);
      this.#worker.postMessage(request);
    });
    this.busy = false;
    this.#worker.unref();
    if (outcome.kind !== "result") await this.end();
    return outcome;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
