/** Work in workers of either platform, with a hard limit of time: a worker that hangs is ended, and its job with it. */

/** From a worker: once when it has started, then one result per request. */
export type WorkerReply<Result> = { readonly kind: "ready" } | { readonly kind: "result"; readonly result: Result };

/** A worker of either platform. */
export interface WorkerHandle<Request> {
  post(request: Request): void;
  /** Told when it gets work and when it has none left: an idle worker must not keep the program alive. */
  setBusy(busy: boolean): void;
  terminate(): Promise<void>;
}

/** Starts a worker; `onEnd` is called once when it ends by itself, with the reason. */
export type SpawnWorker<Request, Result> = (
  onReply: (reply: WorkerReply<Result>) => void,
  onEnd: (reason: string) => void,
) => WorkerHandle<Request>;

/** How a request ended: `died` when it took its worker along, twice. */
export type Outcome<Result> =
  | { readonly kind: "result"; readonly result: Result }
  | { readonly kind: "timeout" }
  | { readonly kind: "died" };

export interface WorkerPoolOptions {
  /** Most workers at a time; they are started when there is work. */
  readonly workers: number;
  /** Limit of one request in milliseconds. */
  readonly timeoutMs: number;
}

/** How often a request is tried when its worker dies. */
const ATTEMPTS = 2;

/** Time a worker has for starting, besides the time for its first request: a busy machine may need long. */
const START_MS = 30_000;

interface Task<Request, Result> {
  readonly request: Request;
  readonly resolve: (outcome: Outcome<Result>) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
}

interface Slot<Request, Result> {
  readonly worker: WorkerHandle<Request>;
  ready: boolean;
  task: Task<Request, Result> | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** A worker takes one request at a time; a request waits in line while all are busy. */
export class WorkerPool<Request, Result> {
  readonly #spawn: SpawnWorker<Request, Result>;
  readonly #options: WorkerPoolOptions;
  readonly #queue: Task<Request, Result>[] = [];
  readonly #slots = new Set<Slot<Request, Result>>();
  #closed = false;

  constructor(spawn: SpawnWorker<Request, Result>, options: WorkerPoolOptions) {
    this.#spawn = spawn;
    this.#options = options;
  }

  /** Rejects when a worker cannot start, or when the pool is closed before the end. */
  run(request: Request): Promise<Outcome<Result>> {
    if (this.#closed) return Promise.reject(new Error("the reward pool is closed"));
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject, attempts: 0 });
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const slots = [...this.#slots];
    for (const task of [...this.#queue.splice(0), ...slots.flatMap(({ task }) => task ?? [])])
      task.reject(new Error("the reward pool was closed"));
    await Promise.all(slots.map((slot) => this.#drop(slot)));
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && !this.#closed) {
      const idle = [...this.#slots].find(({ task }) => task === undefined);
      if (idle === undefined && this.#slots.size >= Math.max(1, this.#options.workers)) return;
      const task = this.#queue.shift();
      if (task !== undefined) this.#give(idle ?? this.#start(), task);
    }
  }

  #start(): Slot<Request, Result> {
    const worker = this.#spawn(
      (reply) => this.#reply(slot, reply),
      (reason) => this.#ended(slot, reason),
    );
    const slot: Slot<Request, Result> = { worker, ready: false, task: undefined, timer: undefined };
    this.#slots.add(slot);
    return slot;
  }

  #give(slot: Slot<Request, Result>, task: Task<Request, Result>): void {
    task.attempts += 1;
    slot.task = task;
    slot.worker.setBusy(true);
    slot.timer = setTimeout(() => this.#late(slot), this.#options.timeoutMs + (slot.ready ? 0 : START_MS));
    slot.worker.post(task.request);
  }

  #reply(slot: Slot<Request, Result>, reply: WorkerReply<Result>): void {
    const { task } = slot;
    if (!this.#slots.has(slot)) return;
    if (reply.kind === "ready") {
      slot.ready = true;
      // From here on the request has its own time only.
      clearTimeout(slot.timer);
      if (task !== undefined) slot.timer = setTimeout(() => this.#late(slot), this.#options.timeoutMs);
      return;
    }
    clearTimeout(slot.timer);
    slot.task = undefined;
    slot.worker.setBusy(false);
    task?.resolve({ kind: "result", result: reply.result });
    this.#dispatch();
  }

  #late(slot: Slot<Request, Result>): void {
    const { task } = slot;
    void this.#drop(slot);
    if (slot.ready) task?.resolve({ kind: "timeout" });
    else task?.reject(new Error(`the reward worker did not start: no sign of life in ${START_MS / 1000} s`));
    this.#dispatch();
  }

  #ended(slot: Slot<Request, Result>, reason: string): void {
    if (!this.#slots.has(slot)) return;
    const { task } = slot;
    void this.#drop(slot);
    if (!slot.ready) task?.reject(new Error(`the reward worker did not start: ${reason}`));
    else if (task !== undefined && task.attempts < ATTEMPTS) this.#queue.unshift(task);
    else task?.resolve({ kind: "died" });
    this.#dispatch();
  }

  async #drop(slot: Slot<Request, Result>): Promise<void> {
    this.#slots.delete(slot);
    clearTimeout(slot.timer);
    await slot.worker.terminate();
  }
}
