/**
 * Python as it is installed on this Linux machine, with its packages (numpy, sympy), inside bubblewrap: namespaces of
 * its own for processes, network, files and users, no environment, no capability, and limits on memory, time, files and
 * processes. Weaker than the `wasi` engine, as every system call of the kernel is in reach, so it starts only when its
 * self-test finds no leak.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { at } from "../../base/must";
import { type CallEnd, CallQueue, CLOSED } from "../calls";
import { outputStops, type PythonCall, type PythonEngine, type PythonStatus } from "../engine";
import { endsInMemoryError } from "../http/protocol";
import { CappedOutput } from "../wasi/output";
import { commandOf, findNative, type NativePaths, UNPRIVILEGED } from "./native-command";
import { selfTest } from "./native-self-test";

export interface NativeEngineOptions {
  /** Programs that run at once; by default one per core, at most 4. */
  workerCount?: number;
  /** The Python to run; by default /usr/bin/python3, else the first python3 of PATH. */
  python?: string;
  /** Name or path of bubblewrap. */
  bwrap?: string;
}

/**
 * Opens the engine after its self-test.
 *
 * @throws UserError when something is not installed or the self-test shows a leak
 */
export async function createNativeEngine(options: NativeEngineOptions = {}): Promise<PythonEngine> {
  const paths = await findNative(options);
  const engine = new CallQueue(options.workerCount ?? Math.min(availableParallelism(), 4), (call, closing) =>
    runOnce(paths, call, closing),
  );
  try {
    await selfTest(engine);
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

/** Runs a call in a process tree of its own, of which nothing is used twice. */
function runOnce(paths: NativePaths, call: PythonCall, closing: AbortSignal): Promise<CallEnd> {
  const [file, ...args] = commandOf(paths, call);
  const child = spawn(file, args, {
    env: {},
    cwd: "/",
    stdio: ["pipe", "pipe", "pipe"],
    // A group of its own: Ctrl-C in the terminal is for the trainer, which ends this process in order.
    detached: true,
    // The kernel holds no limit on processes against the superuser.
    ...(process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {}),
  });
  let stopped: CallEnd | undefined;
  const stop = (end: CallEnd) => {
    stopped ??= end;
    killTree(child);
  };
  const timer = setTimeout(() => stop({ status: "timeout" }), call.timeoutMs);
  const close = () => stop(CLOSED);
  closing.addEventListener("abort", close);
  const stops = outputStops(call.maxOutputBytes);
  const outputs = (["stdout", "stderr"] as const).map((name) => {
    const output = new CappedOutput(call.maxOutputBytes);
    child[name].on("data", (bytes: Uint8Array) => {
      output.write(bytes);
      if (output.total > stops[name]) stop({ status: "output_limit" });
    });
    return output;
  });
  // A program that ends before it has been read: its exit says what happened.
  child.stdin.on("error", () => undefined);
  child.stdin.end(call.code);
  return new Promise((resolve) => {
    const settle = (code: number | null, failure?: Error) => {
      clearTimeout(timer);
      closing.removeEventListener("abort", close);
      const stderr = failure === undefined ? at(outputs, 1).text() : `bubblewrap did not start: ${failure.message}\n`;
      resolve({
        stdout: at(outputs, 0).text(),
        stderr,
        truncated: outputs.some((output) => output.truncated),
        ...(stopped ?? { status: failure === undefined ? statusOf(code, stderr) : "crash" }),
      });
    };
    child.once("error", (error) => settle(null, error));
    child.once("close", (code) => settle(code));
  });
}

/** Ends bubblewrap and with it its process namespace, whatever its programs do. */
function killTree(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

/** bubblewrap gives 128 and the signal's number for a program that a signal ended. */
function statusOf(code: number | null, stderr: string): PythonStatus {
  if (code === 0) return "ok";
  // SIGXCPU: the limit on processor time, which stands for the deadline.
  if (code === 128 + 24) return "timeout";
  if (code === null || code > 128) return "crash";
  return endsInMemoryError(stderr) ? "oom" : "error";
}
