import type { PythonCall } from "./engine";

/** A call that no engine can run because its limits make no sense. */
export class CallError extends Error {
  override name = "UserError";
}

/** The snapshot alone takes about 25 MiB. */
export const MEMORY_RANGE_MB = { least: 32, most: 4096 } as const;

/** Throws CallError when a limit of a call is out of its range. */
export function checkCall(call: PythonCall): void {
  const { least, most } = MEMORY_RANGE_MB;
  if (!(call.memoryMb >= least && call.memoryMb <= most))
    throw new CallError(
      `memoryMb of a Python call is ${call.memoryMb}; give a number of MiB from ${least} to ${most}.`,
    );
  if (!(call.timeoutMs > 0 && call.timeoutMs <= 86_400_000))
    throw new CallError(`timeoutMs of a Python call is ${call.timeoutMs}; give milliseconds from 1 to 86400000.`);
  if (!(Number.isInteger(call.maxOutputBytes) && call.maxOutputBytes >= 64 && call.maxOutputBytes <= 1 << 24))
    throw new CallError(`maxOutputBytes of a Python call is ${call.maxOutputBytes}; give bytes from 64 to ${1 << 24}.`);
}
