import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { isMainThread, Worker } from "node:worker_threads";

/** Makes a function of a string: what V8 must refuse here. */
const fromString = Function;

/**
 * Tries, from where it is called, what the sandbox must refuse. The permission model covers files, processes and
 * threads; where Node has none the flags were not given, and only code generation is looked at.
 *
 * @returns one phrase for each thing that was possible; empty when the sandbox is closed
 */
export function openDoors(): string[] {
  const attempts: [string, () => void][] = [["make code of strings", () => fromString("return 1")()]];
  if (process.permission !== undefined) {
    // The one file of which it is certain that it exists, can be read by this user, and is not one of ours.
    attempts.push(["read files", () => closeSync(openSync(process.execPath, "r"))]);
    attempts.push(["start processes", () => spawnSync(process.execPath, ["--version"])]);
    if (!isMainThread) attempts.push(["start threads", () => void new Worker("", { eval: true }).terminate()]);
  }
  return attempts.filter(([, attempt]) => !isRefused(attempt)).map(([what]) => what);
}

function isRefused(attempt: () => void): boolean {
  try {
    attempt();
    return false;
  } catch {
    return true;
  }
}
