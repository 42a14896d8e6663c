import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { checkCall } from "../check";
import { DEFAULT_LIMITS, type PythonCall, type PythonEngine, type PythonResult, type PythonStatus } from "../engine";
import type { PackageOptions } from "./packages";
import { packageAssetsInThread } from "./packages-thread";
import { packageRoot } from "./paths";
import { type ProcessOptions, type SandboxProcess, SandboxStartError, startProcess } from "./process";
import { CallCounts, type SandboxStatistics } from "./statistics";

export interface NodeSandboxOptions {
  /** Programs that run at the same time; by default one per core, at most 4. */
  workerCount?: number;
  /** Folder with the output of scripts/build-python.mjs. */
  assetFolder?: string;
  /** The built entry src/sandbox/node/child.ts; the worker's entry lies beside it. */
  childPath?: string;
  /** Memory limit for which the interpreter is compiled ahead, in MiB. */
  memoryMb?: number;
  /** Resident memory in MiB that the process may gain over that of its programs before it is replaced in good order. */
  residentGrowthMb?: number;
  /** Packages beside the standard library; making their snapshot takes a while the first time. */
  packages?: PackageOptions;
  /** Told once when making the snapshot of the packages takes a while. */
  announce?: (message: string) => void;
}

interface Job {
  id: number;
  call: PythonCall;
  queuedAt: number;
  sentAt: number;
  retried: boolean;
  overdue: ReturnType<typeof setTimeout> | undefined;
  resolve: (result: PythonResult) => void;
}

/** Time beyond a call's own limit after which the whole sandbox process counts as hung and is killed. */
const GRACE_MS = 10_000;
const MAX_FAILED_STARTS = 3;
/** Resident memory that a process may gain beside that of the programs in it, in MiB; then it is replaced. */
const RESIDENT_GROWTH_MB = 384;

/**
 * Starts the Python sandbox: one child process without environment, and in it `workerCount` threads. Resolves when
 * the first of them is ready. An idle sandbox does not keep the Node process alive.
 */
export async function createNodeSandbox(options: NodeSandboxOptions = {}): Promise<NodeSandbox> {
  const childPath = options.childPath ?? join(packageRoot(), "dist/workers/sandbox-child.js");
  if (!existsSync(childPath))
    throw new SandboxStartError(`${childPath} is missing: the package has not been built. Run: npm run prepare`);
  const plainAssets = options.assetFolder ?? join(packageRoot(), "dist/python");
  const { packages } = options;
  const sandbox = new NodeSandbox({
    workerCount: options.workerCount ?? Math.min(availableParallelism(), 4),
    assetFolder:
      packages === undefined
        ? plainAssets
        : await packageAssetsInThread(childPath, plainAssets, packages, options.announce),
    childPath,
    memoryMb: options.memoryMb ?? DEFAULT_LIMITS.memoryMb,
    residentGrowthMb: options.residentGrowthMb ?? RESIDENT_GROWTH_MB,
  });
  await sandbox.start();
  return sandbox;
}

/** The trainer's side of the sandbox: it keeps the queue, and replaces the process when that dies. */
export class NodeSandbox implements PythonEngine {
  readonly #options: ProcessOptions;
  readonly #queue: Job[] = [];
  readonly #flying = new Map<number, Job>();
  #process: SandboxProcess | undefined;
  #ready = false;
  /** The process takes no more calls and is replaced when those in it have ended. */
  #worn = false;
  #residentLimitMb = Number.POSITIVE_INFINITY;
  #closed = false;
  #ids = 0;
  #restarting = false;
  readonly #counts = new CallCounts();

  /** Use createNodeSandbox. */
  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  /** Process id of the sandbox, for diagnosis. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  run(call: PythonCall): Promise<PythonResult> {
    return new Promise((resolve) => {
      // A throw in here rejects the promise.
      if (this.#closed) throw new Error("The Python engine is closed.");
      checkCall(call);
      const queuedAt = performance.now();
      const id = this.#ids++;
      this.#queue.push({ id, call, queuedAt, sentAt: 0, retried: false, overdue: undefined, resolve });
      if (this.#process === undefined) void this.#restart();
      this.#dispatch();
    });
  }

  waiting(): { running: number; queued: number } {
    return { running: this.#flying.size, queued: this.#queue.length };
  }

  /** What has become of the calls since the engine was made. */
  statistics(): SandboxStatistics {
    return this.#counts.now();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const process = this.#process;
    this.#process = undefined;
    this.#ready = false;
    for (const job of [...this.#flying.values(), ...this.#queue.splice(0)])
      this.#fail(job, "crash", "the Python engine was closed\n");
    await process?.kill();
  }

  /** Resolves when the process takes calls. */
  async start(): Promise<void> {
    const process: SandboxProcess = startProcess(
      this.#options,
      (id, result, residentMb) => this.#result(id, result, residentMb),
      (reason) => this.#lost(process, reason),
    );
    this.#process = process;
    this.#worn = false;
    try {
      const { residentGrowthMb, workerCount, memoryMb } = this.#options;
      this.#residentLimitMb = (await process.ready) + residentGrowthMb + workerCount * memoryMb;
    } catch (error) {
      if (this.#process === process) this.#process = undefined;
      await process.kill();
      throw error;
    }
    if (this.#process !== process) return;
    this.#ready = true;
    process.hold(false);
    this.#dispatch();
  }

  #dispatch(): void {
    if (!this.#ready || this.#worn || this.#process === undefined) return;
    while (this.#flying.size < this.#options.workerCount) {
      const [job] = this.#queue;
      if (job === undefined) break;
      // One of the calls under which a process died may have killed it. Each has its second try alone, and takes no other along.
      const alone = job.retried || [...this.#flying.values()].some(({ retried }) => retried);
      if (alone && this.#flying.size > 0) break;
      this.#queue.shift();
      this.#flying.set(job.id, job);
      job.sentAt = performance.now();
      job.overdue = setTimeout(() => this.#overdue(job), job.call.timeoutMs + GRACE_MS);
      this.#process.run(job.id, job.call);
    }
    this.#process.hold(this.#flying.size > 0);
  }

  #result(id: number, result: PythonResult, residentMb: number): void {
    const job = this.#flying.get(id);
    if (job === undefined) return;
    this.#settle(job, { ...result, queueMs: job.sentAt - job.queuedAt + result.queueMs });
    if (residentMb > this.#residentLimitMb) this.#worn = true;
    if (this.#worn && this.#flying.size === 0) void this.#renew();
    else this.#dispatch();
  }

  /** Puts a fresh process in the place of a worn one that has no call left; what waits goes to the new one. */
  async #renew(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    this.#ready = false;
    this.#counts.processRenewed();
    await process?.kill();
    await this.#restart();
  }

  #settle(job: Job, result: PythonResult): void {
    clearTimeout(job.overdue);
    this.#flying.delete(job.id);
    this.#counts.add(result);
    job.resolve(result);
  }

  #fail(job: Job, status: PythonStatus, stderr: string): void {
    const now = performance.now();
    const began = job.sentAt === 0 ? now : job.sentAt;
    const queueMs = began - job.queuedAt;
    this.#settle(job, { status, stdout: "", stderr, ms: now - began, queueMs, truncated: false });
  }

  /** The process's own deadline has not worked: it can't be trusted any more. */
  #overdue(job: Job): void {
    this.#counts.processKilled();
    this.#fail(job, "timeout", "");
    void this.#process?.kill();
  }

  #lost(process: SandboxProcess, reason: string): void {
    if (this.#process !== process || !this.#ready) return;
    this.#process = undefined;
    this.#ready = false;
    this.#counts.processLost();
    const again: Job[] = [];
    for (const job of this.#flying.values()) {
      clearTimeout(job.overdue);
      if (job.retried) this.#fail(job, "crash", `the Python sandbox process died: ${reason}\n`);
      else {
        this.#counts.retried();
        again.push({ ...job, retried: true });
      }
    }
    this.#flying.clear();
    this.#queue.unshift(...again);
    void this.#restart();
  }

  /** Starts a new process, a few times if need be; without one, what waits is a crash. */
  async #restart(): Promise<void> {
    if (this.#restarting) return;
    this.#restarting = true;
    let reason = "";
    for (let attempt = 0; attempt < MAX_FAILED_STARTS && !this.#ready && !this.#closed; attempt++)
      await this.start().catch((error: unknown) => {
        reason = String(error);
      });
    this.#restarting = false;
    if (!this.#ready) for (const job of this.#queue.splice(0)) this.#fail(job, "crash", `${reason}\n`);
  }
}
