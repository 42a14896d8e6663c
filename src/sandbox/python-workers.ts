/** Python in worker threads of either platform. The deadline of a call is kept here, outside the guest. */
import { WorkerPool } from "../base/worker-pool";
import { admit, pooledResult } from "./calls";
import type { PythonCall, PythonEngine, PythonResult } from "./engine";
import type { PythonModules } from "./python/assets";
import type { PythonImage } from "./python/interpreter";
import type { FromWorker, ToWorker } from "./worker-core";

/** A worker thread of either platform. */
export interface WorkerHandle {
  post(message: ToWorker): void;
  terminate(): void;
}

/** Starts a worker; `ended` is called when it dies by itself, with the reason. */
export type SpawnWorker = (onMessage: (message: FromWorker) => void, ended: (reason: string) => void) => WorkerHandle;

export interface PythonWorkersOptions {
  readonly workerCount: number;
  readonly spawn: SpawnWorker;
  readonly modules: PythonModules;
  readonly image: PythonImage;
  /** Limit of a call's memory for which the interpreter is compiled ahead, in MiB. */
  readonly memoryMb: number;
}

/** Starts in a row that may fail; then Python can't run here. */
const STARTS = 3;

/** A fixed number of workers with one call each at a time. One that misses a deadline or dies is replaced. */
export class PythonWorkers implements PythonEngine {
  readonly #modules: PythonModules;
  readonly #pool: WorkerPool<{ call: PythonCall; module: WebAssembly.Module }, PythonResult>;
  #isClosed = false;

  /** Use {@link PythonWorkers.start}. */
  private constructor({ spawn, workerCount, modules, image }: PythonWorkersOptions, first: WebAssembly.Module) {
    this.#modules = modules;
    this.#pool = new WorkerPool({
      workers: workerCount,
      limitMs: ({ call }) => call.timeoutMs,
      tries: 1,
      starts: STARTS,
      spawn: (events) => {
        const worker = spawn(
          (message) => (message.type === "ready" ? events.ready() : events.result(message.result)),
          (reason) => events.ended(new Error(reason)),
        );
        let known = first;
        worker.post({ type: "init", image, module: known });
        return {
          post({ call, module }) {
            worker.post({ type: "run", module: module === known ? undefined : module, call });
            known = module;
          },
          hold: () => {},
          terminate: async () => worker.terminate(),
        };
      },
    });
  }

  /** Resolves when the first worker is ready; rejects when none can be started. */
  static async start(options: PythonWorkersOptions): Promise<PythonWorkers> {
    const workers = new PythonWorkers(options, await options.modules.get(options.memoryMb));
    await workers.#pool.start().catch((error: Error) => {
      throw new Error(`The Python worker does not start: ${error.message}`);
    });
    return workers;
  }

  async run(call: PythonCall): Promise<PythonResult> {
    admit(call, this.#isClosed);
    const queuedAt = performance.now();
    try {
      const module = await this.#modules.get(call.memoryMb);
      const compiledMs = performance.now() - queuedAt;
      const result = pooledResult(await this.#pool.run({ call, module }), "the Python worker");
      return { ...result, queueMs: result.queueMs + compiledMs };
    } catch (error) {
      const failure = { status: "crash", stdout: "", stderr: `python.wasm could not be compiled: ${error}\n` } as const;
      return { ...failure, ms: 0, queueMs: performance.now() - queuedAt, truncated: false };
    }
  }

  waiting(): { running: number; queued: number } {
    return this.#pool.waiting();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool.close();
  }
}
