/**
 * The scheduler of a rollout: continuous batching of decoding sequences over one decoder, several batches ahead, while
 * tool calls run beside them.
 */
import { UserError } from "../base/errors";
import { must } from "../base/must";
import { Admission } from "./admission";
import { type ExpectedToken, planBatch } from "./batch-plan";
import type { Decoder, SampledTokens } from "./decoder";
import { noteVersion, type RolloutRequest, rewind, type Sequence, toTrajectory } from "./decoding-sequence";
import { type RolloutStatistics, StatisticsCollector } from "./statistics";
import type { TokenizerView } from "./tokenizer";
import type { Trajectory } from "./trajectory";
import type { Action, TurnEvent, TurnOptions } from "./turns";
import type { Reply, World } from "./world";

/** Settings of one {@link interact}; the world says how turns are cut. */
export interface InteractOptions extends Omit<TurnOptions, "protocol"> {
  tokenizer: TokenizerView;
  /** Batches that may be on their way beside the one whose tokens are waited for. */
  runAhead: number;
  /** Most trajectories under way at once; default: as many as the decoder has slots. */
  maxActive?: number;
  /** Version of the policy that the next batch will be computed with; read as each batch is sent. */
  policyVersion?: () => number;
  signal?: AbortSignal;
  /** Time between heartbeats, default 1000. */
  heartbeatMs?: number;
  /** Clock for statistics, in milliseconds. */
  now?: () => number;
}

/** Where a rollout stands. */
export interface Heartbeat {
  waitingFor: "model" | "tools";
  finished: number;
  total: number;
  /** Trajectories in slots, those of them that wait for Python or their environment, and batches on their way. */
  active: number;
  waitingForTools: number;
  batches: number;
  statistics: Readonly<RolloutStatistics>;
}

/** Told what happens. A hook that throws ends the rollout with its error. */
export interface RolloutHooks {
  /** Called as soon as a trajectory ends, while others go on. */
  onFinished?: (trajectory: Trajectory) => void;
  onHeartbeat?: (heartbeat: Heartbeat) => void;
  /** Called with the tokens that a trajectory has got: sampled ones one by one, an observation's together. */
  onTokens?: (trajectoryId: number, ids: ArrayLike<number>) => void;
  /** Called once, at the end, also when the rollout is aborted. */
  onStatistics?: (statistics: RolloutStatistics) => void;
}

/**
 * Samples all trajectories of `requests`, in their order. Which tokens come depends on the decoder's seed, the
 * trajectory ids and what the world answers; not on slots, batches, `runAhead` or who finishes first.
 * @throws UserError if a request can never fit or an option is out of range; the signal's reason if aborted; the
 * decoder's error, or the world's.
 */
export async function interact(
  requests: readonly RolloutRequest[],
  decoder: Decoder,
  world: World,
  options: InteractOptions,
  hooks: RolloutHooks = {},
): Promise<Trajectory[]> {
  checkLimits([
    ["max_completion_length", options.maxCompletionLength, 1],
    ["max_tool_calls", options.maxToolCalls, 0],
    ["run_ahead", options.runAhead, 0],
    ["max_active", options.maxActive ?? 1, 1],
  ]);
  return new Scheduler(requests, decoder, world, options, hooks).run();
}

interface BatchOnItsWay {
  expected: ExpectedToken[];
  policyVersion: number;
  result: SampledTokens | undefined;
}

class Scheduler {
  readonly #decoder: Decoder;
  readonly #world: World;
  readonly #options: InteractOptions;
  readonly #hooks: RolloutHooks;
  readonly #order: readonly number[];
  readonly #admission: Admission;
  readonly #collector: StatisticsCollector;
  readonly #wakeup = new Wakeup();
  readonly #active = new Set<Sequence>();
  readonly #batches: BatchOnItsWay[] = [];
  readonly #returned: { sequence: Sequence; reply: Reply }[] = [];
  readonly #finished = new Map<number, Trajectory>();
  readonly #failures: unknown[] = [];
  #toolsRunning = 0;

  constructor(
    requests: readonly RolloutRequest[],
    decoder: Decoder,
    world: World,
    options: InteractOptions,
    hooks: RolloutHooks,
  ) {
    this.#decoder = decoder;
    this.#world = world;
    this.#options = options;
    this.#hooks = hooks;
    this.#order = requests.flatMap((request) => request.trajectoryIds);
    const maxActive = options.maxActive ?? Number.POSITIVE_INFINITY;
    const turnOptions = { ...options, protocol: world.protocol };
    this.#admission = new Admission(requests, decoder, options.tokenizer, turnOptions, maxActive);
    this.#collector = new StatisticsCollector(options.now ?? (() => performance.now()));
  }

  async run(): Promise<Trajectory[]> {
    const { signal, heartbeatMs = 1000 } = this.#options;
    const onAbort = () => this.#wakeup.notify();
    signal?.addEventListener("abort", onAbort);
    const timer = this.#hooks.onHeartbeat && setInterval(() => this.#heartbeat(), heartbeatMs);
    try {
      while (this.#finished.size < this.#order.length) {
        signal?.throwIfAborted();
        if (this.#failures.length > 0) throw this.#failures[0];
        this.#takeTokens();
        this.#takeResults();
        this.#admit();
        if (this.#enqueue() || this.#finished.size === this.#order.length) continue;
        if (this.#batches.length + this.#toolsRunning === 0) throw new Error("the rollout has nothing to wait for");
        await this.#wakeup.wait();
      }
      if (this.#admission.usedPages > 0) throw new Error(`${this.#admission.usedPages} KV pages were not given back`);
      return this.#order.map((id) => must(this.#finished.get(id), "a finished trajectory"));
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", onAbort);
      this.#collector.change(0, 0);
      this.#hooks.onStatistics?.(this.#collector.totals);
    }
  }

  #admit(): void {
    const { totals } = this.#collector;
    for (let sequence = this.#admission.admit(); sequence !== undefined; sequence = this.#admission.admit())
      this.#active.add(sequence);
    totals.peakSlots = Math.max(totals.peakSlots, this.#active.size);
    totals.peakPages = Math.max(totals.peakPages, this.#admission.usedPages);
  }

  /** Sends the next batch if one more may be on its way and there are rows for it. */
  #enqueue(): boolean {
    if (this.#batches.length > this.#options.runAhead) return false;
    const planned = planBatch(this.#active, this.#decoder.maxRows);
    if (planned === undefined) return false;
    const policyVersion = this.#options.policyVersion?.() ?? 0;
    const entry: BatchOnItsWay = { expected: planned.expected, policyVersion, result: undefined };
    this.#batches.push(entry);
    this.#collector.totals.batches++;
    this.#collector.totals.rows += planned.batch.slots.length;
    this.#collector.change(0, 1);
    this.#decoder.enqueue(planned.batch).then(
      (result) => {
        entry.result = result;
        this.#wakeup.notify();
      },
      (error: unknown) => this.#fail(error),
    );
    if (planned.copies.length > 0)
      this.#decoder.copyPages(
        Uint32Array.from(planned.copies, (copy) => copy.from),
        Uint32Array.from(planned.copies, (copy) => copy.to),
      );
    return true;
  }

  /** Reads the tokens of all batches that are back, in the order of the batches. */
  #takeTokens(): void {
    for (let batch = this.#batches[0]; batch?.result !== undefined; batch = this.#batches[0]) {
      this.#batches.shift();
      this.#collector.change(0, -1);
      const { policyVersion } = batch;
      const { tokens, logprobs } = batch.result;
      batch.expected.forEach(({ sequence, epoch, position }, i) => {
        if (sequence.epoch !== epoch) return;
        noteVersion(sequence, policyVersion);
        this.#takeToken(sequence, position, tokens[i], logprobs[i]);
      });
    }
  }

  #takeToken(sequence: Sequence, position: number, token: number | undefined, logprob: number | undefined): void {
    const { turns, group } = sequence;
    if (token === undefined || logprob === undefined) throw new Error("the decoder returned fewer tokens than samples");
    if (position !== group.request.promptIds.length + turns.length)
      throw new Error(`trajectory ${sequence.id}: token at position ${position} is out of order`);
    this.#collector.totals.sampledTokens++;
    this.#hooks.onTokens?.(sequence.id, [token]);
    this.#handle(sequence, turns.push(token, logprob), position);
  }

  /** Does what the turn machine says after the token at `position`. */
  #handle(sequence: Sequence, event: TurnEvent, position: number): void {
    const { totals } = this.#collector;
    // Batches run ahead of the tokens that are read, so rows past this one may have been sent: they guessed that the
    // text goes on.
    if (event.kind === "finished") {
      // Nothing follows the last token, so its own row is not needed either.
      totals.discardedRows += rewind(sequence, position, position);
      this.#finish(sequence);
    } else if (event.kind !== "continue") {
      // The observation comes next. This token stays, and its K/V with it: rows from the next position on are another
      // text's.
      totals.discardedRows += rewind(sequence, position, position + 1);
      this.#ask(sequence, event);
    }
  }

  #ask(sequence: Sequence, action: Action): void {
    sequence.state = "tool";
    this.#toolsRunning++;
    this.#collector.totals.toolCalls++;
    this.#collector.change(1, 0);
    this.#world.act(sequence.id, sequence.toolLog.length, action).then(
      (reply) => {
        this.#toolsRunning--;
        this.#collector.change(-1, 0);
        this.#returned.push({ sequence, reply });
        this.#wakeup.notify();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** Appends the observations of the calls that have returned, and lets their trajectories go on. */
  #takeResults(): void {
    for (const { sequence, reply } of this.#returned.splice(0)) {
      const { turns, slot } = sequence;
      const { text, ids } = reply.observation;
      const start = sequence.group.request.promptIds.length + turns.length;
      const event = reply.ended === undefined ? turns.resume(ids) : turns.end(reply.ended);
      sequence.toolLog.push({ ...reply.record, observation: event.kind === "finished" ? "" : text });
      if (event.kind === "finished") {
        this.#finish(sequence);
        continue;
      }
      this.#collector.totals.observationTokens += ids.length;
      this.#hooks.onTokens?.(sequence.id, ids);
      if (ids.length > 0) this.#decoder.setTokens(slot, start, ids);
      sequence.known = start + ids.length - 1;
      sequence.next = Math.min(sequence.next, sequence.known);
      sequence.state = "run";
    }
  }

  #finish(sequence: Sequence): void {
    sequence.state = "finished";
    this.#active.delete(sequence);
    this.#admission.release(sequence);
    const trajectory = toTrajectory(sequence);
    this.#finished.set(trajectory.id, trajectory);
    this.#hooks.onFinished?.(trajectory);
  }

  #heartbeat(): void {
    this.#collector.change(0, 0);
    try {
      this.#hooks.onHeartbeat?.({
        waitingFor: this.#batches.length > 0 ? "model" : "tools",
        finished: this.#finished.size,
        total: this.#order.length,
        active: this.#active.size,
        waitingForTools: this.#toolsRunning,
        batches: this.#batches.length,
        statistics: this.#collector.totals,
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failures.push(error);
    this.#wakeup.notify();
  }
}

/** Lets one waiter sleep until anything of interest has happened. */
class Wakeup {
  #signalled = false;
  #waiter: (() => void) | undefined;

  /** Something happened: ends the current wait, or the next one at once. */
  notify(): void {
    this.#signalled = true;
    this.#waiter?.();
  }

  async wait(): Promise<void> {
    if (!this.#signalled)
      await new Promise<void>((resolve) => {
        this.#waiter = resolve;
      });
    this.#waiter = undefined;
    this.#signalled = false;
  }
}

function checkLimits(limits: readonly (readonly [name: string, value: number, least: number])[]): void {
  for (const [name, value, least] of limits)
    if (!(Number.isInteger(value) && value >= least))
      throw new UserError(`${name} is ${value}, but must be a whole number of at least ${least}: change it`);
}
