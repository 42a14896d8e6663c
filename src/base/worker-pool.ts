/**
 * Workers of any kind (threads, workers of a page, a process) that answer requests, each within its time. A request
 * waits for a worker that has started; from then on its limit counts. A worker that misses it is ended and replaced,
 * and so is one that dies.
 */
import { must } from "./must";

/** What a worker tells its pool. */
export interface WorkerEvents<Result> {
  /** Once, when it takes requests. */
  ready(): void;
  /** @param id of the request; may be left out by a worker that takes one at a time */
  result(result: Result, id?: number): void;
  /** When it ends by itself, or cannot start. */
  ended(why: Error): void;
}

/** A worker, as its pool uses it. */
export interface PoolWorker<Request> {
  post(request: Request, id: number): void;
  /** Told whether it has work: an idle worker must not keep the program alive. One that starts may. */
  hold(busy: boolean): void;
  /** Asked after each result: whether the worker is to be replaced when the requests in it have ended. */
  isWorn?(): boolean;
  /** Ends it; another takes its place when the promise resolves. */
  terminate(): Promise<void>;
}

export interface WorkerPoolOptions<Request, Result> {
  readonly spawn: (events: WorkerEvents<Result>) => PoolWorker<Request>;
  /** Most workers at a time. They are started when there is work, or by {@link WorkerPool.start} and then kept. */
  readonly workers: number;
  /** Requests that a worker takes at a time; default 1. */
  readonly perWorker?: number;
  /** Limit of a request in a worker, in milliseconds. */
  readonly limitMs: (request: Request) => number;
  /** How often a request is tried when its worker dies under it. */
  readonly tries: number;
  /** Starts that may fail in a row before what waits is given up. */
  readonly starts: number;
  /** Time for a start, in milliseconds, and what to say when it has passed. */
  readonly startLimit?: { readonly ms: number; readonly message: string };
}

/** How a request ended, and its times in milliseconds: waiting, and in the worker that had it last. */
export type Outcome<Result> = Ending<Result> & { readonly queueMs: number; readonly ms: number };

type Ending<Result> =
  | { readonly kind: "result"; readonly result: Result }
  | { readonly kind: "timeout" }
  /** It has taken a worker along in each of its tries. */
  | { readonly kind: "died"; readonly why: Error }
  /** No worker could be started. */
  | { readonly kind: "unstarted"; readonly why: Error }
  | { readonly kind: "closed" };

/** What has become of workers and requests since the pool was made. */
export interface WorkerPoolCounts {
  /** Requests given to another worker because the first one ended under them. */
  retries: number;
  /** Workers that ended when they should not have, late ones included. */
  lost: number;
  /** Workers ended for missing a request's limit. */
  late: number;
  /** Worn workers replaced. */
  renewed: number;
}

interface Task<Request, Result> {
  readonly id: number;
  readonly request: Request;
  readonly queuedAt: number;
  readonly resolve: (outcome: Outcome<Result>) => void;
  /** When it was given to a worker, and how often. */
  postedAt: number | undefined;
  tries: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

interface Slot<Request, Result> {
  worker: PoolWorker<Request> | undefined;
  state: "starting" | "ready" | "ending";
  isWorn: boolean;
  readonly tasks: Map<number, Task<Request, Result>>;
  startTimer: ReturnType<typeof setTimeout> | undefined;
  gone: Promise<void> | undefined;
}

export class WorkerPool<Request, Result> {
  readonly #options: WorkerPoolOptions<Request, Result>;
  readonly #queue: Task<Request, Result>[] = [];
  readonly #slots = new Set<Slot<Request, Result>>();
  readonly #counts: WorkerPoolCounts = { retries: 0, lost: 0, late: 0, renewed: 0 };
  #start: { resolve(): void; reject(why: Error): void } | undefined;
  #isKept = false;
  /** In a row; and why the last one did. */
  #failedStarts = 0;
  #failure: Error | undefined;
  #isClosed = false;
  #ids = 0;

  constructor(options: WorkerPoolOptions<Request, Result>) {
    this.#options = options;
  }

  /**
   * Starts all workers and keeps them started. Resolves when one is ready; rejects when none starts, with the reason.
   */
  start(): Promise<void> {
    this.#isKept = true;
    return new Promise((resolve, reject) => {
      this.#start = { resolve, reject };
      this.#fill();
    });
  }

  /** Never rejects because of a request or a worker. */
  run(request: Request): Promise<Outcome<Result>> {
    return new Promise((resolve) => {
      const task = {
        ...{ id: this.#ids++, request, queuedAt: performance.now(), resolve },
        ...{ postedAt: undefined, tries: 0, timer: undefined },
      };
      if (this.#isClosed) return settle(task, { kind: "closed" });
      this.#queue.push(task);
      this.#dispatch();
    });
  }

  /** Requests that workers have, and requests that wait for one. */
  waiting(): { running: number; queued: number } {
    const running = [...this.#slots].reduce((sum, { tasks }) => sum + tasks.size, 0);
    return { running, queued: this.#queue.length };
  }

  counts(): WorkerPoolCounts {
    return { ...this.#counts };
  }

  /** Ends the workers, and with them all requests. Resolves when the workers are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const slots = [...this.#slots];
    for (const task of [...this.#queue.splice(0), ...slots.flatMap(({ tasks }) => [...tasks.values()])])
      settle(task, { kind: "closed" });
    for (const { tasks } of slots) tasks.clear();
    this.#start?.reject(new Error("it was closed"));
    this.#start = undefined;
    await Promise.all(slots.map((slot) => this.#end(slot)));
  }

  #dispatch(): void {
    for (;;) {
      const [task] = this.#queue;
      const slot = task && [...this.#slots].find((each) => this.#takes(each, task));
      if (task === undefined || slot === undefined) break;
      this.#queue.shift();
      this.#give(slot, task);
    }
    for (const { worker, state, tasks } of this.#slots) if (state === "ready") worker?.hold(tasks.size > 0);
    this.#fill();
  }

  /**
   * Whether a worker can take a task. One of the tasks under which a worker died may have killed it: each has its next
   * try alone, and takes no other along.
   */
  #takes({ state, isWorn, tasks }: Slot<Request, Result>, task: Task<Request, Result>): boolean {
    if (state !== "ready" || isWorn) return false;
    if (tasks.size === 0) return true;
    return tasks.size < (this.#options.perWorker ?? 1) && task.tries === 0 && [...tasks.values()].every(isFirstTry);
  }

  #give(slot: Slot<Request, Result>, task: Task<Request, Result>): void {
    task.tries++;
    task.postedAt = performance.now();
    slot.tasks.set(task.id, task);
    task.timer = setTimeout(() => this.#late(slot, task), this.#options.limitMs(task.request));
    must(slot.worker, "a ready worker").post(task.request, task.id);
  }

  /** Starts what workers are missing; gives up what waits when too many starts have failed and none is left. */
  #fill(): void {
    const { workers, starts } = this.#options;
    while (!this.#isClosed && this.#slots.size < Math.max(1, workers) && this.#failedStarts < starts) {
      const free = [...this.#slots].filter(({ state, tasks }) => state === "starting" || tasks.size === 0).length;
      if (!this.#isKept && free >= this.#queue.length) break;
      this.#add();
    }
    const why = this.#failure;
    if (why === undefined || this.#slots.size > 0 || this.#failedStarts < starts) return;
    // The next request tries anew.
    this.#failedStarts = 0;
    this.#start?.reject(why);
    this.#start = undefined;
    for (const task of this.#queue.splice(0)) settle(task, { kind: "unstarted", why });
  }

  #add(): void {
    const { spawn, startLimit } = this.#options;
    const slot: Slot<Request, Result> = {
      ...{ worker: undefined, state: "starting", isWorn: false, tasks: new Map() },
      ...{ startTimer: undefined, gone: undefined },
    };
    this.#slots.add(slot);
    if (startLimit !== undefined)
      slot.startTimer = setTimeout(() => void this.#unstarted(slot, new Error(startLimit.message)), startLimit.ms);
    slot.worker = spawn({
      ready: () => this.#ready(slot),
      result: (result, id) => this.#result(slot, result, id),
      ended: (why) => void (slot.state === "starting" ? this.#unstarted(slot, why) : this.#lost(slot, why)),
    });
  }

  #ready(slot: Slot<Request, Result>): void {
    if (slot.state !== "starting") return;
    clearTimeout(slot.startTimer);
    slot.state = "ready";
    this.#start?.resolve();
    this.#start = undefined;
    this.#dispatch();
  }

  #result(slot: Slot<Request, Result>, result: Result, id: number | undefined): void {
    const task = id === undefined ? [...slot.tasks.values()][0] : slot.tasks.get(id);
    if (slot.state !== "ready" || task === undefined) return;
    this.#failedStarts = 0;
    slot.tasks.delete(task.id);
    settle(task, { kind: "result", result });
    slot.isWorn ||= slot.worker?.isWorn?.() ?? false;
    if (slot.isWorn && slot.tasks.size === 0) {
      this.#counts.renewed++;
      void this.#replace(slot);
    } else this.#dispatch();
  }

  #late(slot: Slot<Request, Result>, task: Task<Request, Result>): void {
    this.#counts.late++;
    slot.tasks.delete(task.id);
    settle(task, { kind: "timeout" });
    void this.#lost(slot, new Error("another request took too long"));
  }

  async #lost(slot: Slot<Request, Result>, why: Error): Promise<void> {
    if (slot.state !== "ready") return;
    this.#counts.lost++;
    const again: Task<Request, Result>[] = [];
    for (const task of slot.tasks.values()) {
      clearTimeout(task.timer);
      if (task.tries < this.#options.tries) again.push(task);
      else settle(task, { kind: "died", why });
    }
    slot.tasks.clear();
    this.#counts.retries += again.length;
    this.#queue.unshift(...again);
    await this.#replace(slot);
  }

  async #unstarted(slot: Slot<Request, Result>, why: Error): Promise<void> {
    if (slot.state !== "starting") return;
    this.#failedStarts++;
    this.#failure = why;
    await this.#end(slot);
    // Before the first worker has started, nothing says that another try would help.
    if (this.#start !== undefined && this.#slots.size === 0) this.#failedStarts = this.#options.starts;
    this.#dispatch();
  }

  async #replace(slot: Slot<Request, Result>): Promise<void> {
    await this.#end(slot);
    this.#dispatch();
  }

  #end(slot: Slot<Request, Result>): Promise<void> {
    slot.state = "ending";
    clearTimeout(slot.startTimer);
    slot.gone ??= (slot.worker?.terminate() ?? Promise.resolve()).then(() => void this.#slots.delete(slot));
    return slot.gone;
  }
}

function isFirstTry({ tries }: { readonly tries: number }): boolean {
  return tries === 1;
}

function settle<Request, Result>(task: Task<Request, Result>, ending: Ending<Result>): void {
  clearTimeout(task.timer);
  const now = performance.now();
  const began = task.postedAt ?? now;
  task.resolve({ ...ending, queueMs: began - task.queuedAt, ms: now - began });
}
