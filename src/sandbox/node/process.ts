import { fork } from "node:child_process";
import { dirname, join } from "node:path";
import type { PythonCall, PythonResult } from "../engine";
import { processFlags, readAccess, threadFlags } from "./permissions";
import type { FromChild, ToChild } from "./protocol";

/** Where the parts of the sandbox process lie and how large it is. */
export interface ProcessOptions {
  workerCount: number;
  assetFolder: string;
  childPath: string;
  memoryMb: number;
  /** See NodeSandboxOptions. */
  residentGrowthMb: number;
}

/** One sandbox process, from its start to its end. */
export interface SandboxProcess {
  pid: number | undefined;
  /** Resolves when it takes calls, to its resident memory in MiB; rejects when it ends before. */
  ready: Promise<number>;
  run(id: number, call: PythonCall): void;
  /** Whether the process keeps this one alive. */
  hold(on: boolean): void;
  /** Ends it; resolves when it is gone. */
  kill(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
/** V8 heap of the process's main thread, which holds the assets and passes messages. */
const HEAP_MB = 256;

/** Thrown when the sandbox can't start for a reason the user can remove. */
export class SandboxStartError extends Error {
  override name = "UserError";
}

/**
 * Forks the process without environment, open files or inspector, under Node's permission model; `onExit` is called once, when
 * it has ended.
 */
export function startProcess(
  options: ProcessOptions,
  onResult: (id: number, result: PythonResult, residentMb: number) => void,
  onExit: (reason: string) => void,
): SandboxProcess {
  const { childPath, workerCount, assetFolder, memoryMb } = options;
  const access = readAccess(childPath, assetFolder);
  const child = fork(childPath, [], {
    env: {},
    execArgv: ["--disallow-code-generation-from-strings", `--max-old-space-size=${HEAP_MB}`, ...processFlags(access)],
    serialization: "advanced",
    // A group of its own: Ctrl-C in the terminal is for the trainer, which ends this process in order.
    detached: process.platform !== "win32",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const send = (message: ToChild) => {
    // A message to a process that has just died is lost; its exit settles the call.
    child.send(message, () => undefined);
  };
  let ended = false;
  const ready = new Promise<number>((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new Error(`The Python sandbox did not start within ${START_TIMEOUT_MS / 1000} s.`));
      child.kill("SIGKILL");
    }, START_TIMEOUT_MS);
    const end = (reason: string) => {
      if (ended) return;
      ended = true;
      clearTimeout(late);
      reject(new Error(`The Python sandbox ended while it started (${reason}).`));
      onExit(reason);
    };
    child.on("message", (message: FromChild) => {
      if (message.type === "result") onResult(message.id, message.result, message.residentMb);
      else {
        clearTimeout(late);
        if (message.type === "ready") resolve(message.residentMb);
        else reject(message.user ? new SandboxStartError(message.message) : new Error(message.message));
      }
    });
    child.once("error", (error) => end(error.message));
    child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`));
  });
  send({
    type: "init",
    workerPath: join(dirname(childPath), "sandbox-worker.js"),
    workerFlags: threadFlags(access),
    workerCount,
    assetFolder,
    memoryMb,
  });
  return {
    pid: child.pid,
    ready,
    run: (id, call) => send({ type: "run", id, call }),
    hold: (on) => {
      if (on) {
        child.ref();
        child.channel?.ref();
      } else {
        child.unref();
        child.channel?.unref();
      }
    },
    kill: async () => {
      if (ended) return;
      child.ref();
      await new Promise<void>((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGKILL");
      });
    },
  };
}
