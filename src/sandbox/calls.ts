/**
 * From `run` to a result: the queue of engines that start a call when they like, and the results of those with workers.
 */
import { reasonOf } from "../base/errors";
import type { Outcome } from "../base/worker-pool";
import { checkCall, type PythonCall, type PythonEngine, type PythonResult } from "./engine";

/**
 * How a call ended. Where it does not tell, nothing was written, and its time is that between its start and its end.
 */
export type CallEnd = Pick<PythonResult, "status"> & Partial<PythonResult>;

/** Of calls that `close` ends. */
export const CLOSED: CallEnd = { status: "crash", stderr: "the Python engine was closed\n" };

interface Job {
  readonly call: PythonCall;
  readonly queuedAt: number;
  resolve(result: PythonResult): void;
}

/** An engine with one queue for all callers; a call's time starts when it leaves the queue. */
export class CallQueue implements PythonEngine {
  readonly #limit: number;
  readonly #answer: (call: PythonCall, closing: AbortSignal) => Promise<CallEnd>;
  readonly #queue: Job[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  /**
   * @param limit calls that run at once
   * @param answer runs a call; `closing` tells it to end soon, with {@link CLOSED}
   */
  constructor(limit: number, answer: (call: PythonCall, closing: AbortSignal) => Promise<CallEnd>) {
    this.#limit = limit;
    this.#answer = answer;
  }

  async run(call: PythonCall): Promise<PythonResult> {
    admit(call, this.#closing.signal.aborted);
    return new Promise((resolve) => {
      this.#queue.push({ call, queuedAt: performance.now(), resolve });
      this.#dispatch();
    });
  }

  waiting(): { running: number; queued: number } {
    return { running: this.#running.size, queued: this.#queue.length };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const { queuedAt, resolve } of this.#queue.splice(0))
      resolve(resultOf(CLOSED, performance.now() - queuedAt, 0));
    await Promise.all(this.#running);
  }

  #dispatch(): void {
    while (this.#running.size < this.#limit) {
      const job = this.#queue.shift();
      if (job === undefined) return;
      const run = this.#start(job).finally(() => {
        this.#running.delete(run);
        this.#dispatch();
      });
      this.#running.add(run);
    }
  }

  async #start({ call, queuedAt, resolve }: Job): Promise<void> {
    const began = performance.now();
    const end = await this.#answer(call, this.#closing.signal).catch(
      (error: unknown): CallEnd => ({ status: "crash", stderr: `${reasonOf(error)}\n` }),
    );
    resolve(resultOf(end, began - queuedAt, performance.now() - began));
  }
}

/** Refuses calls of a closed engine, and calls without sense. */
export function admit(call: PythonCall, isClosed: boolean): void {
  if (isClosed) throw new Error("The Python engine is closed.");
  checkCall(call);
}

/**
 * The result of a call that a pool of workers has had.
 *
 * @param worker how stderr names what died under the call
 */
export function pooledResult(outcome: Outcome<PythonResult>, worker: string): PythonResult {
  return resultOf(endOf(outcome, worker), outcome.queueMs, outcome.ms);
}

function endOf(outcome: Outcome<PythonResult>, worker: string): CallEnd {
  switch (outcome.kind) {
    case "result":
      return outcome.result;
    case "timeout":
      return { status: "timeout" };
    case "died":
      return { status: "crash", stderr: `${worker} died: ${outcome.why.message}\n` };
    case "unstarted":
      return { status: "crash", stderr: `${outcome.why}\n` };
    case "closed":
      return CLOSED;
  }
}

/** @param queueMs beside what the end itself has waited */
function resultOf(end: CallEnd, queueMs: number, ms: number): PythonResult {
  return { stdout: "", stderr: "", truncated: false, ms, ...end, queueMs: queueMs + (end.queueMs ?? 0) };
}
