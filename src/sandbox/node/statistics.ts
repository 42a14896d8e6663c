import type { PythonResult } from "../engine";

/** What has become of the calls of an engine, since it was made. */
export interface SandboxStatistics {
  /** Calls answered, whatever the answer. */
  calls: number;
  /** By how they ended; together with `ok` these make `calls`. */
  ok: number;
  errors: number;
  timeouts: number;
  ooms: number;
  outputLimits: number;
  crashes: number;
  /** Calls given to a new process because the first one died under them. */
  retries: number;
  /** Sandbox processes that died or were killed, other than by `close`. */
  processesLost: number;
  /** Those among them that were killed because they had missed a call's deadline. */
  processesKilled: number;
  /** Processes replaced in good order because their memory had grown. */
  processesRenewed: number;
  /** Sums over all calls, in milliseconds. */
  queueMs: number;
  runMs: number;
}

const COUNT_OF = {
  ok: "ok",
  error: "errors",
  timeout: "timeouts",
  oom: "ooms",
  output_limit: "outputLimits",
  crash: "crashes",
} as const;

/** Counts for {@link SandboxStatistics}. */
export class CallCounts {
  readonly #now: SandboxStatistics = {
    calls: 0,
    ok: 0,
    errors: 0,
    timeouts: 0,
    ooms: 0,
    outputLimits: 0,
    crashes: 0,
    retries: 0,
    processesLost: 0,
    processesKilled: 0,
    processesRenewed: 0,
    queueMs: 0,
    runMs: 0,
  };

  add({ status, ms, queueMs }: PythonResult): void {
    this.#now.calls++;
    this.#now[COUNT_OF[status]]++;
    this.#now.queueMs += queueMs;
    this.#now.runMs += ms;
  }

  retried(): void {
    this.#now.retries++;
  }

  processLost(): void {
    this.#now.processesLost++;
  }

  processKilled(): void {
    this.#now.processesKilled++;
  }

  processRenewed(): void {
    this.#now.processesRenewed++;
  }

  now(): SandboxStatistics {
    return { ...this.#now };
  }
}
