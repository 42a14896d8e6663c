/** Lock files: what one process at a time holds, until it releases it or dies. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { errorCode } from "../../base/errors";

/** Lets others in. */
export type Release = () => Promise<void>;

/**
 * Takes hold of a lock file. One that a process left when it died counts for nothing, even if another process has its
 * number now.
 *
 * @param inUse the error to throw when another holds it; the number of that process is unknown while it takes hold
 */
export async function takeLock(path: string, inUse: (owner: number | undefined) => Error): Promise<Release> {
  const release = () => fs.rm(path, { force: true });
  for (;;) {
    if (await create(path)) return release;
    const text = await readLock(path);
    if (text === undefined) continue;
    const owner = livingOwner(text);
    if (owner !== undefined) throw inUse(owner);
    // Whoever removes a lock holds another one meanwhile: it could be gone since it was read, and a living process's in
    // its place.
    const done = await takeLock(`${path}.stale`, () => inUse(undefined));
    try {
      if ((await readLock(path)) === text) await release();
    } finally {
      await done();
    }
  }
}

/** The living process that holds a lock file, if any does. */
export async function lockOwner(path: string): Promise<number | undefined> {
  const text = await readLock(path);
  return text === undefined ? undefined : livingOwner(text);
}

/** Of file systems such as those of memory sticks, where a lock is seen for a moment before its text. */
const NO_LINKS = ["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"];

/** Makes the lock file of this process, whose text is there when its name is. @returns false when there is one */
async function create(path: string): Promise<boolean> {
  const unnamed = `${path}.${randomUUID()}`;
  try {
    await fs.writeFile(unnamed, lockText(), { flag: "wx" });
    await fs.link(unnamed, path).catch((error: unknown) => {
      if (NO_LINKS.includes(errorCode(error) ?? "")) return fs.writeFile(path, lockText(), { flag: "wx" });
      throw error;
    });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await fs.rm(unnamed, { force: true }).catch(() => undefined);
  }
}

async function readLock(path: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The text of a process's lock: its number, and when it began, since numbers come again. */
export function lockText(pid: number = process.pid): string {
  return [pid, ...(beginOf(pid) ?? [])].join(" ");
}

/** The process that a lock's text stands for, while it lives. */
function livingOwner(text: string): number | undefined {
  const [number = "", ...begin] = text.trim().split(" ");
  const pid = Number(number);
  if (!(pid > 0) || !isAlive(pid)) return undefined;
  if (pid === process.pid) return text === lockText() ? pid : undefined;
  const now = beginOf(pid);
  const isRecycled = begin.length > 0 && now !== undefined && begin.join(" ") !== now.join(" ");
  return isRecycled ? undefined : pid;
}

/**
 * Whether a process of this number runs. One that has died and was not yet waited for, as in containers without init,
 * does not.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
  try {
    return !["Z", "X"].includes(statOf(pid)[0] ?? "");
  } catch {
    return true;
  }
}

/** The boot of the machine and the process's start after it, where the system tells: together they never come again. */
function beginOf(pid: number): readonly [string, string] | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const start = statOf(pid)[22 - 3];
    return start === undefined ? undefined : [boot, start];
  } catch {
    return undefined;
  }
}

/**
 * Fields 3 and on of /proc/pid/stat (proc(5)): the state first. Field 2 is the program's name, which may hold anything.
 */
function statOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
}
