/** Which process a lock file stands for: its number, and when it began, since numbers come again. */
import { readFileSync } from "node:fs";
import { isAlive } from "./files";

/** The text of a lock. */
export function lockText(pid: number = process.pid): string {
  return [pid, ...(beginOf(pid) ?? [])].join(" ");
}

/** The process that a lock's text stands for, while it lives. */
export function livingOwner(text: string): number | undefined {
  const [number = "", ...begin] = text.trim().split(" ");
  const pid = Number(number);
  if (!(pid > 0) || !isAlive(pid)) return undefined;
  const now = beginOf(pid);
  const isRecycled = begin.length > 0 && now !== undefined && begin.join(" ") !== now.join(" ");
  return isRecycled ? undefined : pid;
}

/** The boot of the machine and the process's start after it, where the system tells (proc(5)): together they never come again. */
function beginOf(pid: number): readonly [string, string] | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    // Fields from the third on; the second is the program's name, which may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    const start = fields[22 - 3];
    return start === undefined ? undefined : [boot, start];
  } catch {
    return undefined;
  }
}
