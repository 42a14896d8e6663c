import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { UserError } from "../../base/errors";
import { WorkerPool } from "../../base/worker-pool";
import { admit, pooledResult } from "../calls";
import { DEFAULT_LIMITS, type PythonCall, type PythonEngine, type PythonResult } from "../engine";
import type { PackageOptions } from "./packages";
import { packageAssetsInThread } from "./packages-thread";
import { packageRoot } from "./paths";
import { type ProcessOptions, type SandboxProcess, startProcess } from "./process";

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

/** Time beyond a call's own limit after which the whole sandbox process counts as hung and is killed. */
const GRACE_MS = 10_000;
/** Of a process, as often as its calls may be tried. */
const START = { ms: 60_000, message: "The Python sandbox did not start within 60 s." } as const;
const STARTS = 3;
const TRIES = 2;
/** Resident memory that a process may gain beside that of the programs in it, in MiB; then it is replaced. */
const RESIDENT_GROWTH_MB = 384;

/**
 * Starts the Python sandbox: one child process without environment, and in it `workerCount` threads. Resolves when
 * the first of them is ready. An idle sandbox does not keep the Node process alive.
 */
export async function createNodeSandbox(options: NodeSandboxOptions = {}): Promise<NodeSandbox> {
  const childPath = options.childPath ?? join(packageRoot(), "dist/workers/sandbox-child.js");
  if (!existsSync(childPath))
    throw new UserError(`${childPath} is missing: the package has not been built. Run: npm run build`);
  const plainAssets = options.assetFolder ?? join(packageRoot(), "dist/python");
  const { packages } = options;
  const process: ProcessOptions = {
    workerCount: options.workerCount ?? Math.min(availableParallelism(), 4),
    assetFolder:
      packages === undefined
        ? plainAssets
        : await packageAssetsInThread(childPath, plainAssets, packages, options.announce),
    childPath,
    memoryMb: options.memoryMb ?? DEFAULT_LIMITS.memoryMb,
  };
  return NodeSandbox.start(process, options.residentGrowthMb ?? RESIDENT_GROWTH_MB);
}

/** What has become of the calls of an engine, since it was made. */
export interface SandboxStatistics {
  /** Calls answered, whatever the answer. */
  readonly calls: number;
  /** By how they ended; together with `ok` these make `calls`. */
  readonly ok: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly ooms: number;
  readonly outputLimits: number;
  readonly crashes: number;
  /** Calls given to a new process because the first one died under them. */
  readonly retries: number;
  /** Sandbox processes that died or were killed, other than by `close`. */
  readonly processesLost: number;
  /** Those among them that were killed because they had missed a call's deadline. */
  readonly processesKilled: number;
  /** Processes replaced in good order because their memory had grown. */
  readonly processesRenewed: number;
  /** Sums over all calls, in milliseconds. */
  readonly queueMs: number;
  readonly runMs: number;
}

/** The trainer's side of the sandbox: a pool of one process, which takes a call for each of its threads. */
export class NodeSandbox implements PythonEngine {
  readonly #pool: WorkerPool<PythonCall, PythonResult>;
  readonly #statuses = { ok: 0, error: 0, timeout: 0, oom: 0, output_limit: 0, crash: 0 };
  #queueMs = 0;
  #runMs = 0;
  #process: SandboxProcess | undefined;
  #isClosed = false;

  private constructor(options: ProcessOptions, residentGrowthMb: number) {
    this.#pool = new WorkerPool({
      workers: 1,
      perWorker: options.workerCount,
      // The process's own deadline comes first. Who misses this one can't be trusted any more.
      limitMs: ({ timeoutMs }) => timeoutMs + GRACE_MS,
      tries: TRIES,
      starts: STARTS,
      startLimit: START,
      spawn: (events) => {
        let limitMb = Number.POSITIVE_INFINITY;
        let isWorn = false;
        const process = startProcess(options, {
          ready(residentMb) {
            limitMb = residentMb + residentGrowthMb + options.workerCount * options.memoryMb;
            events.ready();
          },
          result(id, result, residentMb) {
            isWorn ||= residentMb > limitMb;
            events.result(result, id);
          },
          ended: events.ended,
        });
        this.#process = process;
        return { ...process, isWorn: () => isWorn };
      },
    });
  }

  /** Use createNodeSandbox. */
  static async start(options: ProcessOptions, residentGrowthMb: number): Promise<NodeSandbox> {
    const sandbox = new NodeSandbox(options, residentGrowthMb);
    await sandbox.#pool.start();
    return sandbox;
  }

  /** Process id of the sandbox, for diagnosis. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async run(call: PythonCall): Promise<PythonResult> {
    admit(call, this.#isClosed);
    const result = pooledResult(await this.#pool.run(call), "the Python sandbox process");
    this.#statuses[result.status]++;
    this.#queueMs += result.queueMs;
    this.#runMs += result.ms;
    return result;
  }

  waiting(): { running: number; queued: number } {
    return this.#pool.waiting();
  }

  /** What has become of the calls since the engine was made. */
  statistics(): SandboxStatistics {
    const { ok, error, timeout, oom, output_limit, crash } = this.#statuses;
    const { retries, lost, late, renewed } = this.#pool.counts();
    return {
      calls: Object.values(this.#statuses).reduce((sum, count) => sum + count, 0),
      ...{ ok, errors: error, timeouts: timeout, ooms: oom, outputLimits: output_limit, crashes: crash },
      ...{ retries, processesLost: lost, processesKilled: late, processesRenewed: renewed },
      ...{ queueMs: this.#queueMs, runMs: this.#runMs },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool.close();
  }
}
