import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const STDERR = 2;
const { O_APPEND, O_CREAT, O_EXCL, O_NOCTTY, O_RDWR, O_WRONLY } = constants;

/**
 * Dawn writes two of these to standard error for every Vulkan adapter whose driver allows more dynamic buffers than
 * Dawn has room for. That is nearly every adapter, no kernel binds any, and Dawn has no switch for it.
 */
const NOTE =
  /^Warning: maxDynamic\w+ artificially reduced from \d+ to \d+ to fit dynamic offset allocation limit\.\n/gm;

let isLeftOut = false;

/**
 * From now on Dawn's notes about dynamic buffers are left out of standard error. For a program that starts nothing
 * before its device: standard error is another file for a moment, and a thread that opened a file in that moment could
 * get its number.
 */
export function leaveOutDawnNotes(): void {
  isLeftOut = true;
}

/**
 * Standard error opened once more, by the name that Linux has for it. Undefined where it has none (a socket), and for a
 * file that is not appended to, where others would write over what comes after.
 */
function secondStderr(): number | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const [, flags = "0"] = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${STDERR}`, "utf8")) ?? [];
    if (fstatSync(STDERR).isFile() && (Number.parseInt(flags, 8) & O_APPEND) === 0) return undefined;
    return openSync(`/proc/self/fd/${STDERR}`, O_WRONLY | O_APPEND | O_NOCTTY);
  } catch {
    return undefined;
  }
}

/** A file without a name, for what standard error is given meanwhile. */
function namelessFile(): number | undefined {
  const path = join(tmpdir(), `zerotir-${process.pid}-stderr`);
  try {
    const file = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0o600);
    rmSync(path);
    return file;
  } catch {
    return undefined;
  }
}

/**
 * Puts an open file in the place of standard error: the lowest number that is free is the one given to the next file.
 */
function becomeStderr(file: number): void {
  closeSync(STDERR);
  openSync(`/proc/self/fd/${file}`, O_WRONLY | O_APPEND | O_NOCTTY);
}

/**
 * What `body` returns, without Dawn's notes on standard error once `leaveOutDawnNotes` was called. What else it writes
 * comes after.
 */
export function withoutDawnNotes<T>(body: () => T): T {
  const stderr = isLeftOut ? secondStderr() : undefined;
  if (stderr === undefined) return body();
  const caught = namelessFile();
  if (caught === undefined) {
    closeSync(stderr);
    return body();
  }
  becomeStderr(caught);
  try {
    return body();
  } finally {
    becomeStderr(stderr);
    const rest = readFileSync(`/proc/self/fd/${caught}`, "utf8").replace(NOTE, "");
    if (rest !== "") writeSync(STDERR, rest);
    closeSync(caught);
    closeSync(stderr);
  }
}
