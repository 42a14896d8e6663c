/** What a call of the Python tool is, and what every engine that runs one must offer. */

/** One program for a fresh interpreter. */
export interface PythonCall {
  /** Source text; it is given to the interpreter as its standard input. */
  code: string;
  /** Wall-clock limit of the run itself, in milliseconds; time spent waiting for a free worker does not count. */
  timeoutMs: number;
  /** Limit of the guest's linear memory in MiB; beyond it the program gets a MemoryError. */
  memoryMb: number;
  /**
   * Bytes kept of each of stdout and stderr. What exceeds it is cut out of the middle; a program that goes on
   * to write as much as `outputStops` says is stopped with status `output_limit`.
   */
  maxOutputBytes: number;
  /** Key of everything random in the call (`random`, `os.urandom`, `uuid4`): the same seed gives the same numbers. */
  seed: string;
}

/**
 * - `ok`: exit code 0
 * - `error`: an uncaught exception or another exit code
 * - `timeout`: stopped at the deadline, or asleep for longer than it
 * - `oom`: ended by a MemoryError
 * - `output_limit`: stopped for writing too much
 * - `crash`: the interpreter or its worker died
 */
export type PythonStatus = "ok" | "error" | "timeout" | "oom" | "output_limit" | "crash";

export interface PythonResult {
  status: PythonStatus;
  stdout: string;
  stderr: string;
  /** Run time in milliseconds. */
  ms: number;
  /** Time between `run` and the start of the program, in milliseconds. */
  queueMs: number;
  /** True when part of stdout or stderr was left out. */
  truncated: boolean;
}

export interface PythonEngine {
  /** Runs one program. The promise never rejects for anything the program does; it rejects after `close`. */
  run(call: PythonCall): Promise<PythonResult>;
  /** Calls that run now and calls that wait for a worker. */
  waiting(): { running: number; queued: number };
  /** Ends workers and processes. Calls still open get status `crash`. */
  close(): Promise<void>;
}

/** Limits that suit a rollout: 10 s, 256 MiB, 64 KiB of output. */
export const DEFAULT_LIMITS = { timeoutMs: 10_000, memoryMb: 256, maxOutputBytes: 65_536 } as const;

/** Bytes of output at which a program is stopped, by stream. */
export interface OutputStops {
  stdout: number;
  stderr: number;
}

/**
 * Sixteen times what is kept. With a small `maxOutputBytes` the floors keep what is merely long from counting as a flood,
 * above all a traceback, which the program does not write by itself.
 */
export const outputStops = (maxOutputBytes: number): OutputStops => ({
  stdout: Math.max(16 * maxOutputBytes, 1 << 16),
  stderr: Math.max(16 * maxOutputBytes, 1 << 20),
});
