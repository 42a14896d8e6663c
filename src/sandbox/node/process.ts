import { fork } from "node:child_process";
import { dirname, join } from "node:path";
import { UserError } from "../../base/errors";
import type { PoolWorker } from "../../base/worker-pool";
import type { PythonCall, PythonResult } from "../engine";
import { processFlags, readAccess, threadFlags } from "./permissions";
import type { FromChild, ToChild } from "./protocol";

/** Where the parts of the sandbox process lie and how large it is. */
export interface ProcessOptions {
  readonly workerCount: number;
  readonly assetFolder: string;
  readonly childPath: string;
  readonly memoryMb: number;
}

/** What the process tells; memory is resident, in MiB. */
export interface ProcessEvents {
  ready(residentMb: number): void;
  result(id: number, result: PythonResult, residentMb: number): void;
  /** When it has ended, or can't start. */
  ended(why: Error): void;
}

/** One sandbox process. */
export interface SandboxProcess extends Omit<PoolWorker<PythonCall>, "isWorn"> {
  readonly pid: number | undefined;
}

/** Of V8. The heap is that of the process's main thread, which holds the assets and passes messages. */
const FLAGS = ["--disallow-code-generation-from-strings", "--expose-gc", "--max-old-space-size=256"];

/** Forks the process without environment, open files or inspector, under Node's permission model. */
export function startProcess(options: ProcessOptions, events: ProcessEvents): SandboxProcess {
  const { childPath, workerCount, assetFolder, memoryMb } = options;
  const access = readAccess(childPath, assetFolder);
  const child = fork(childPath, [], {
    env: {},
    execArgv: [...FLAGS, ...processFlags(access)],
    serialization: "advanced",
    // A group of its own: Ctrl-C in the terminal is for the trainer, which ends this process in order.
    detached: process.platform !== "win32",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const send = (message: ToChild) => {
    // A message to a process that has just died is lost; its exit settles the call.
    child.send(message, () => undefined);
  };
  let isReady = false;
  const gone = new Promise<void>((resolve) => {
    const end = (reason: string) => {
      events.ended(new Error(isReady ? reason : `The Python sandbox ended while it started (${reason}).`));
      resolve();
    };
    child.once("error", (error) => end(error.message));
    child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`));
  });
  child.on("message", (message: FromChild) => {
    if (message.type === "result") return events.result(message.id, message.result, message.residentMb);
    if (message.type === "failed")
      return events.ended(message.user ? new UserError(message.message) : new Error(message.message));
    isReady = true;
    events.ready(message.residentMb);
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
    post: (call, id) => send({ type: "run", id, call }),
    hold(on) {
      if (on) {
        child.ref();
        child.channel?.ref();
      } else {
        child.unref();
        child.channel?.unref();
      }
    },
    terminate() {
      child.ref();
      child.kill("SIGKILL");
      return gone;
    },
  };
}
