/**
 * Python as it is installed on this Linux machine, with its packages (numpy, sympy), inside bubblewrap: namespaces of its own for
 * processes, network, files and users, no environment, no capability, and limits on memory, time, files and processes. Weaker
 * than the `wasi` engine, as every system call of the kernel is in reach, so it starts only when its self-test finds no leak.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { checkCall } from "../check";
import { outputStops, type PythonCall, type PythonEngine, type PythonResult, type PythonStatus } from "../engine";
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

interface Job {
  readonly call: PythonCall;
  readonly queuedAt: number;
  resolve(result: PythonResult): void;
}

/**
 * Opens the engine after its self-test.
 *
 * @throws NativeEngineError (a UserError) when something is not installed or the self-test shows a leak
 */
export async function createNativeEngine(options: NativeEngineOptions = {}): Promise<PythonEngine> {
  const paths = await findNative(options);
  const engine = new NativeEngine(paths, options.workerCount ?? Math.min(availableParallelism(), 4));
  try {
    await selfTest(engine);
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

/** One process tree per call; nothing of it is used twice. */
class NativeEngine implements PythonEngine {
  readonly #paths: NativePaths;
  readonly #workerCount: number;
  readonly #queue: Job[] = [];
  readonly #running = new Set<ChildProcess>();
  #closed = false;

  constructor(paths: NativePaths, workerCount: number) {
    this.#paths = paths;
    this.#workerCount = workerCount;
  }

  run(call: PythonCall): Promise<PythonResult> {
    return new Promise((resolve) => {
      // A throw in here rejects the promise.
      if (this.#closed) throw new Error("The Python engine is closed.");
      checkCall(call);
      this.#queue.push({ call, queuedAt: performance.now(), resolve });
      this.#dispatch();
    });
  }

  waiting(): { running: number; queued: number } {
    return { running: this.#running.size, queued: this.#queue.length };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { resolve, queuedAt } of this.#queue.splice(0))
      resolve({ ...CLOSED, stdout: "", ms: 0, queueMs: performance.now() - queuedAt, truncated: false });
    const gone = [...this.#running].map((child) => new Promise((resolve) => child.once("close", resolve)));
    for (const child of this.#running) killTree(child);
    await Promise.all(gone);
  }

  #dispatch(): void {
    while (this.#running.size < this.#workerCount) {
      const job = this.#queue.shift();
      if (job === undefined) return;
      this.#start(job);
    }
  }

  #start({ call, queuedAt, resolve }: Job): void {
    const began = performance.now();
    const [file, ...args] = commandOf(this.#paths, call);
    const child = spawn(file, args, {
      env: {},
      cwd: "/",
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own: Ctrl-C in the terminal is for the trainer, which ends this process in order.
      detached: true,
      // The kernel holds no limit on processes against the superuser.
      ...(process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {}),
    });
    this.#running.add(child);
    let stopped: { status: PythonStatus; stderr?: string } | undefined;
    const stop = (reason: typeof stopped) => {
      stopped ??= reason;
      killTree(child);
    };
    const timer = setTimeout(() => stop({ status: "timeout" }), call.timeoutMs);
    const stops = outputStops(call.maxOutputBytes);
    const outputs = (
      [
        [child.stdout, stops.stdout],
        [child.stderr, stops.stderr],
      ] as const
    ).map(([stream, stopAt]) => {
      const output = new CappedOutput(call.maxOutputBytes);
      stream.on("data", (bytes: Uint8Array) => {
        output.write(bytes);
        if (output.total > stopAt) stop({ status: "output_limit" });
      });
      return output;
    });
    const settle = (code: number | null, failure?: Error) => {
      clearTimeout(timer);
      if (!this.#running.delete(child)) return;
      if (this.#closed) stopped ??= CLOSED;
      const [stdout, stderr] = outputs.map((output) => output.text());
      const status = failure === undefined ? statusOf(code, stderr ?? "") : "crash";
      resolve({
        stdout: stdout ?? "",
        stderr: failure === undefined ? (stderr ?? "") : `bubblewrap did not start: ${failure.message}\n`,
        ...(stopped ?? { status }),
        ms: performance.now() - began,
        queueMs: began - queuedAt,
        truncated: outputs.some((output) => output.truncated),
      });
      this.#dispatch();
    };
    child.once("error", (error) => settle(null, error));
    child.once("close", (code) => settle(code));
    // A program that ends before it has been read: its exit says what happened.
    child.stdin.on("error", () => undefined);
    child.stdin.end(call.code);
  }
}

const CLOSED = { status: "crash", stderr: "the Python engine was closed\n" } as const;

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
