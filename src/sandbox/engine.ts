/** What a call of the Python tool is, and what every engine that runs one must offer. */
import { UserError } from "../base/errors";

/** Names that `--tool-engine` takes; `wasi` needs nothing installed. */
export const engineNames = ["wasi", "http", "native", "none"] as const;
export type EngineName = (typeof engineNames)[number];

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
 * Sixteen times what is kept. With a small `maxOutputBytes` the floors keep what is merely long from counting as a
 * flood, above all a traceback, which the program does not write by itself.
 */
export const outputStops = (maxOutputBytes: number): OutputStops => ({
  stdout: Math.max(16 * maxOutputBytes, 1 << 16),
  stderr: Math.max(16 * maxOutputBytes, 1 << 20),
});

/** The snapshot alone takes about 25 MiB. */
const MEMORY_RANGE_MB = { least: 32, most: 4096 } as const;

/** @throws UserError when a limit of a call is out of its range, so that no engine can run it */
export function checkCall(call: PythonCall): void {
  const { least, most } = MEMORY_RANGE_MB;
  if (!(call.memoryMb >= least && call.memoryMb <= most))
    throw new UserError(
      `memoryMb of a Python call is ${call.memoryMb}; give a number of MiB from ${least} to ${most}.`,
    );
  if (!(call.timeoutMs > 0 && call.timeoutMs <= 86_400_000))
    throw new UserError(`timeoutMs of a Python call is ${call.timeoutMs}; give milliseconds from 1 to 86400000.`);
  if (!(Number.isInteger(call.maxOutputBytes) && call.maxOutputBytes >= 64 && call.maxOutputBytes <= 1 << 24))
    throw new UserError(`maxOutputBytes of a Python call is ${call.maxOutputBytes}; give bytes from 64 to ${1 << 24}.`);
}
