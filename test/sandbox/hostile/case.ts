import type { PythonCall, PythonStatus } from "../../../src/sandbox/engine";

/** A program that tries to get out, to hang, to fill memory or to leave something behind. */
export interface HostileCase {
  id: string;
  /** `{{CANARY}}` and `{{PORT}}` are replaced by the path of a file of the host and the port of a listener on it. */
  code: string;
  /** What may become of it. */
  expect: PythonStatus | readonly PythonStatus[];
  stdout?: RegExp;
  stderr?: RegExp;
  /** Limits other than SUITE_LIMITS; a case that expects `timeout` gets SHORT_MS unless it says otherwise. */
  limits?: Partial<PythonCall>;
  /** Why the outcome is what it is, where that is not plain. */
  notes?: string;
}

export interface Category {
  category: string;
  cases: readonly HostileCase[];
}

/** One memory limit for all, so that the interpreter is compiled once; time enough for a busy machine. */
export const SUITE_LIMITS = { timeoutMs: 30_000, memoryMb: 64, maxOutputBytes: 4096, seed: "hostile" } as const;

/** Deadline of programs that are meant to miss it. */
export const SHORT_MS = 150;

/** The limits of a case. */
export function limitsOf(hostile: HostileCase): Omit<PythonCall, "code"> {
  const timeoutMs = hostile.expect === "timeout" ? SHORT_MS : SUITE_LIMITS.timeoutMs;
  return { ...SUITE_LIMITS, timeoutMs, ...hostile.limits };
}
