import type { ToolBenchRow } from "../../run/tool-bench";
import type { PythonResult } from "../../sandbox/engine";
import { duration, figure } from "./text";

/** How a program ended, in words. */
export function verdictOf({ status, ms, truncated }: PythonResult): string {
  return `${status}, ${duration(ms / 1000)}${truncated ? ", output cut" : ""}`;
}

/** The figures of one program of `tool bench`. */
export function benchLine(row: ToolBenchRow): string {
  const memory =
    row.memoryBeforeMb === null || row.memoryAfterMb === null
      ? ""
      : `, memory ${figure(row.memoryBeforeMb)} -> ${figure(row.memoryAfterMb)} MiB`;
  const wrong = row.wrong === 0 ? "" : `, ${row.wrong} WRONG`;
  return (
    `${row.program}: ${row.calls} calls, ${row.workers} at once: ${figure(row.callsPerSecond)} calls/s, ` +
    `median ${figure(row.medianMs)} ms, p95 ${figure(row.p95Ms)} ms${memory}${wrong}`
  );
}
