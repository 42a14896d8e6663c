/**
 * Rollout batches, made when their step comes or one step ahead (`--max-staleness 1`): then the rollouts of step n + 1
 * are sampled while step n changes the weights, by weights that are one step old.
 */
import type { RolloutBatch } from "./batch";

export class BatchesAhead {
  readonly #make: (step: number, signal: AbortSignal) => Promise<RolloutBatch>;
  readonly #stop = new AbortController();
  #ahead: { readonly step: number; readonly batch: Promise<RolloutBatch> } | undefined;

  /**
   * @param make samples the batch of a step
   * @param signal ends what is under way
   * @param first a batch that an earlier process made ahead
   */
  constructor(
    make: (step: number, signal: AbortSignal) => Promise<RolloutBatch>,
    signal: AbortSignal | undefined,
    first?: RolloutBatch,
  ) {
    this.#make = make;
    if (first !== undefined) this.#ahead = { step: first.step, batch: Promise.resolve(first) };
    signal?.addEventListener("abort", () => this.#stop.abort(signal.reason), { once: true });
    if (signal?.aborted) this.#stop.abort(signal.reason);
  }

  /** The batch of a step: the one that was made ahead, or one made now. */
  async take(step: number): Promise<RolloutBatch> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead?.step === step ? ahead.batch : this.#make(step, this.#stop.signal);
  }

  /** Begins to make the batch of a step. */
  start(step: number): void {
    const batch = this.#make(step, this.#stop.signal);
    // Its error is that of whoever takes or waits for it.
    batch.catch(() => {});
    this.#ahead = { step, batch };
  }

  /**
   * Resolves when nothing is under way: before weights change, an evaluation, a checkpoint.
   *
   * @returns the batch that lies ready
   */
  async settled(): Promise<RolloutBatch | undefined> {
    return this.#ahead?.batch;
  }

  /** Ends what is under way, and waits until it has ended. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("the run has ended"));
    await this.#ahead?.batch.catch(() => {});
  }
}
