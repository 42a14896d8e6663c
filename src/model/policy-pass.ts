/**
 * The policy's passes over whole sequences, many at a time. Forward: the log-probs of the scored tokens. Backward: the
 * gradient of a weighted sum of them, with one scalar coefficient per scored token from the caller, accumulated into
 * the parameters' gradients. Every policy-gradient and likelihood objective is a choice of coefficients.
 */
import { isGreedy } from "../../kernels/sampling";
import { at } from "../base/must";
import type { Retention } from "./activations";
import type { Chunk } from "./chunks";
import { Head, HeadBackward, KEEP_ALL, type ScoredRows, STATISTICS_BYTES } from "./head";
import type { Model } from "./model";
import type { GradientTargets } from "./projection";
import type { ContinuedSequence, SequenceRows, TrainingSequence } from "./sequences";
import { Trunk, TrunkBackward, type TrunkShape } from "./trunk";
import { ParameterValues } from "./values";

export type { TrainingSequence } from "./sequences";

/** Statistics of the scored tokens, sequence after sequence, positions ascending. */
export interface TokenStatistics {
  readonly logprobs: Float32Array;
  readonly entropies: Float32Array;
  /** 1 where the token is the most probable one at its place, else 0. */
  readonly greedy: Uint8Array;
}

/**
 * What gives statistics of the scored tokens of whole sequences in micro-batches: a {@link ForwardPass}, a
 * {@link TrainingPass}, or either with its model's adapter off.
 */
export interface ScoringPass {
  /** Whether a micro-batch of so many sequences with so many rows fits the buffers. */
  fits(sequences: number, rows: number): boolean;
  forward(sequences: readonly TrainingSequence[], temperature: number): Promise<TokenStatistics>;
}

/** Sizes of the buffers. */
export interface ForwardShape extends TrunkShape {
  /** Most bytes for logits at one time. */
  readonly logitsBytes: number;
}

/** The forward pass: the forward half of training, and all that a reference model needs. */
export class ForwardPass {
  readonly trunk: Trunk;
  readonly head: Head;
  readonly #model: Model;

  /** @param retention what is kept for a backward pass: nothing unless given */
  constructor(
    model: Model,
    readonly shape: ForwardShape,
    retention: Retention = "nothing",
    label = "forward",
  ) {
    this.#model = model;
    this.trunk = new Trunk(model, shape, retention, label);
    this.head = new Head(model, shape.rows, shape.logitsBytes, `${label} head`);
    model.gpu.write(this.head.thresholds, new Float32Array(shape.rows).fill(KEEP_ALL));
  }

  /** Whether a micro-batch of these sequences fits the buffers. */
  fits(sequences: number, rows: number): boolean {
    return this.trunk.fits(sequences, rows);
  }

  /**
   * Log-probs and entropies of the scored tokens at `temperature`, the bits that {@link TrainingPass.forward} gives.
   * @throws RangeError when the sequences do not fit; see {@link fits}
   */
  async forward(sequences: readonly ContinuedSequence[], temperature: number): Promise<TokenStatistics> {
    return this.statistics(this.record(sequences, temperature));
  }

  /** Uploads the sequences and records everything up to the statistics of their scored tokens. */
  record(sequences: readonly ContinuedSequence[], temperature: number): ScoredRows {
    const rows = this.trunk.forward(this.#model, sequences);
    let lastChunk = 0;
    for (const { begin, count } of this.logits(rows)) {
      this.head.score(this.trunk.tables.slotTokens, this.shape.sequenceLength, begin, count, temperature);
      lastChunk = begin;
    }
    return { rows, temperature, lastChunk };
  }

  /**
   * Records the logits of the scored rows of the trunk's last forward, chunk by chunk: each chunk's lie in
   * `head.logits` until the next one is asked for.
   */
  *logits(rows: SequenceRows): Generator<Chunk> {
    const { head, trunk } = this;
    head.writeScored(rows);
    for (const chunk of head.chunks(rows.scored.length)) {
      head.logitsOf(trunk.output, chunk.begin, chunk.count);
      yield chunk;
    }
  }

  /** Submits, and reads the statistics back. */
  async statistics({ rows }: ScoredRows): Promise<TokenStatistics> {
    const count = rows.scored.length;
    const words = STATISTICS_BYTES / 4;
    const statistics = await this.#model.gpu.readback.readFloats(this.head.statistics, count * words);
    const logprobs = new Float32Array(count);
    const entropies = new Float32Array(count);
    const greedy = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      logprobs[i] = at(statistics, i * words);
      entropies[i] = at(statistics, i * words + 2);
      greedy[i] = Number(isGreedy(at(statistics, i * words + 3)));
    }
    return { logprobs, entropies, greedy };
  }

  destroy(): void {
    this.trunk.destroy();
    this.head.destroy();
  }
}

/** Sizes of the training buffers. */
export interface TrainingShape extends ForwardShape {
  /** Compute each layer's activations again in the backward pass instead of keeping them. */
  readonly recompute: boolean;
}

/**
 * A forward pass that keeps activations, and the backward pass. `gradients` holds the accumulated gradient until
 * `clearGradients`.
 */
export class TrainingPass {
  readonly gradients: ParameterValues;
  readonly trunkBackward: TrunkBackward;
  readonly #targets: GradientTargets;
  readonly #pass: ForwardPass;
  readonly #headBackward: HeadBackward;
  #pending: ScoredRows | undefined;

  constructor(
    readonly model: Model,
    readonly shape: TrainingShape,
  ) {
    const { gpu, labelPrefix } = model;
    this.gradients = new ParameterValues(gpu, model.trained.layout, `${labelPrefix}gradients`);
    this.#targets =
      model.adapter === undefined
        ? { model: this.gradients, adapter: undefined }
        : { model: undefined, adapter: this.gradients };
    this.#pass = new ForwardPass(model, shape, shape.recompute ? "inputs" : "everything", "training");
    this.trunkBackward = new TrunkBackward(model, this.#pass.trunk, "training");
    this.#headBackward = new HeadBackward(model, this.#pass.head, "training");
  }

  /** Whether a micro-batch of these sequences fits the buffers. */
  fits(sequences: number, rows: number): boolean {
    return this.#pass.fits(sequences, rows);
  }

  /** The buffers of the layers, for another pass to use again while nothing waits for a backward here. */
  get trunk(): Trunk {
    return this.#pass.trunk;
  }

  clearGradients(): void {
    this.gradients.clear();
  }

  /**
   * Log-probs and entropies of the scored tokens at `temperature`. What `backward` needs is kept on the GPU until the
   * next call.
   * @throws RangeError when the sequences do not fit; see {@link fits}
   */
  async forward(sequences: readonly TrainingSequence[], temperature: number): Promise<TokenStatistics> {
    const pending = this.#pass.record(sequences, temperature);
    this.#pending = pending;
    return this.#pass.statistics(pending);
  }

  /**
   * Adds to the gradients the gradient of sum_t coefficients[t] * log-prob[t] + entropyCoefficients[t] * entropy[t] of
   * the last `forward`, both in its order; the second sum only where its coefficients are given. Records and submits;
   * nothing is read back.
   * @throws RangeError when there is not one coefficient for each scored token
   */
  backward(coefficients: Float32Array, entropyCoefficients?: Float32Array): void {
    const pending = this.#pending;
    if (pending === undefined) throw new Error("backward needs a forward before it");
    const scoredCount = pending.rows.scored.length;
    if (coefficients.length !== scoredCount)
      throw new RangeError(`${scoredCount} tokens were scored, ${coefficients.length} coefficients given`);
    if (entropyCoefficients !== undefined && entropyCoefficients.length !== coefficients.length)
      throw new RangeError(`${coefficients.length} coefficients, but ${entropyCoefficients.length} of entropies`);
    this.#pending = undefined;
    this.#headBackward.writeCoefficients(coefficients, entropyCoefficients);
    const { partials } = this.trunkBackward;
    this.trunkBackward.backward(this.model, this.#targets, pending.rows, (doutput) =>
      this.#headBackward.backward(
        this.#targets,
        pending,
        { hiddenStates: this.trunk.output, partials, doutput },
        this.shape.sequenceLength,
        entropyCoefficients !== undefined,
      ),
    );
  }

  destroy(): void {
    for (const part of [this.gradients, this.#pass, this.trunkBackward, this.#headBackward]) part.destroy();
  }
}
