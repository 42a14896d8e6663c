import { checkCall } from "./check";
import type { PythonCall, PythonEngine, PythonResult, PythonStatus } from "./engine";
import type { PythonModules } from "./python/assets";
import type { PythonImage } from "./python/interpreter";
import type { FromWorker, ToWorker } from "./worker-core";

/** A worker thread of either platform. */
export interface WorkerHandle {
  post(message: ToWorker): void;
  terminate(): void;
}

/** Starts a worker; `ended` is called once when it dies by itself, with the reason. */
export type SpawnWorker = (onMessage: (message: FromWorker) => void, ended: (reason: string) => void) => WorkerHandle;

interface Job {
  call: PythonCall;
  queuedAt: number;
  resolve: (result: PythonResult) => void;
}

interface Slot {
  worker: WorkerHandle;
  /** The module the worker has. */
  module: WebAssembly.Module;
  state: "starting" | "idle" | "busy";
  job: Job | undefined;
  startedAt: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Workers that die this often in a row before one call has succeeded mean that Python can't run here. */
const MAX_FAILED_STARTS = 3;

/**
 * A fixed number of workers with one call each at a time. The deadline is kept here, outside the guest: a worker
 * that misses it is terminated and replaced, and so is one that dies.
 */
export class WorkerPool implements PythonEngine {
  readonly #spawn: SpawnWorker;
  readonly #modules: PythonModules;
  readonly #image: PythonImage;
  readonly #startModule: WebAssembly.Module;
  readonly #slots = new Set<Slot>();
  readonly #queue: Job[] = [];
  #failedStarts = 0;
  #closed = false;
  #ready: { resolve: () => void; reject: (error: Error) => void } | undefined;

  private constructor(spawn: SpawnWorker, modules: PythonModules, image: PythonImage, startModule: WebAssembly.Module) {
    this.#spawn = spawn;
    this.#modules = modules;
    this.#image = image;
    this.#startModule = startModule;
  }

  /** Resolves when the first worker is ready; rejects when none can be started. */
  static async start(options: {
    workerCount: number;
    spawn: SpawnWorker;
    modules: PythonModules;
    image: PythonImage;
    memoryMb: number;
  }): Promise<WorkerPool> {
    const module = await options.modules.get(options.memoryMb);
    const pool = new WorkerPool(options.spawn, options.modules, options.image, module);
    await new Promise<void>((resolve, reject) => {
      pool.#ready = { resolve, reject };
      for (let i = 0; i < options.workerCount; i++) pool.#add();
    });
    return pool;
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
    const running = [...this.#slots].filter((slot) => slot.state === "busy").length;
    return { running, queued: this.#queue.length };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const slot of [...this.#slots]) {
      this.#drop(slot);
      this.#end(slot, "crash", "the Python engine was closed\n");
    }
    for (const job of this.#queue.splice(0)) job.resolve(failure("crash", "the Python engine was closed\n", job, 0));
  }

  #add(): void {
    const slot: Slot = {
      worker: this.#spawn(
        (message) => this.#message(slot, message),
        (reason) => this.#died(slot, reason),
      ),
      module: this.#startModule,
      state: "starting",
      job: undefined,
      startedAt: 0,
      timer: undefined,
    };
    this.#slots.add(slot);
    slot.worker.post({ type: "init", image: this.#image, module: this.#startModule });
  }

  #drop(slot: Slot): void {
    this.#slots.delete(slot);
    clearTimeout(slot.timer);
    slot.worker.terminate();
  }

  #message(slot: Slot, message: FromWorker): void {
    if (!this.#slots.has(slot)) return;
    if (message.type === "ready") {
      this.#ready?.resolve();
      this.#ready = undefined;
      slot.state = "idle";
    } else {
      this.#failedStarts = 0;
      const { job } = slot;
      clearTimeout(slot.timer);
      slot.state = "idle";
      slot.job = undefined;
      job?.resolve({ ...message.result, queueMs: slot.startedAt - job.queuedAt });
    }
    this.#dispatch();
  }

  #died(slot: Slot, reason: string): void {
    if (!this.#slots.has(slot)) return;
    const starting = slot.state === "starting";
    this.#drop(slot);
    this.#end(slot, "crash", `the Python worker died: ${reason}\n`);
    if (starting) this.#failedStarts++;
    if (this.#failedStarts >= MAX_FAILED_STARTS) {
      this.#ready?.reject(new Error(`The Python worker does not start: ${reason}`));
      this.#ready = undefined;
      if (this.#slots.size === 0)
        for (const job of this.#queue.splice(0)) job.resolve(failure("crash", `no Python worker: ${reason}\n`, job, 0));
      return;
    }
    this.#add();
  }

  #end(slot: Slot, status: PythonStatus, stderr: string): void {
    const { job } = slot;
    slot.job = undefined;
    job?.resolve(failure(status, stderr, job, slot.startedAt));
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (slot.state !== "idle") continue;
      const job = this.#queue.shift();
      if (job === undefined) return;
      slot.state = "busy";
      slot.job = job;
      slot.startedAt = performance.now();
      void this.#startJob(slot, job);
    }
  }

  async #startJob(slot: Slot, job: Job): Promise<void> {
    let module: WebAssembly.Module;
    try {
      module = await this.#modules.get(job.call.memoryMb);
    } catch (error) {
      slot.state = "idle";
      this.#end(slot, "crash", `python.wasm could not be compiled: ${error}\n`);
      this.#dispatch();
      return;
    }
    if (slot.job !== job) return;
    slot.startedAt = performance.now();
    slot.timer = setTimeout(() => {
      this.#drop(slot);
      this.#end(slot, "timeout", "");
      if (!this.#closed) this.#add();
    }, job.call.timeoutMs);
    slot.worker.post({ type: "run", module: slot.module === module ? undefined : module, call: job.call });
    slot.module = module;
  }
}

/** The result of a call that did not come to its own end. */
function failure(status: PythonStatus, stderr: string, job: Job, startedAt: number): PythonResult {
  const now = performance.now();
  const began = startedAt === 0 ? now : startedAt;
  return { status, stdout: "", stderr, ms: now - began, queueMs: began - job.queuedAt, truncated: false };
}
