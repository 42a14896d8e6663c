/**
 * The gradient of a weighted sum of token log-probs: forward over a micro-batch of whole sequences, one scalar coefficient per scored token from the caller,
 * backward, accumulated into the parameters' gradients. Every policy-gradient and likelihood objective is a choice of coefficients.
 */

import { logitsGradient } from "../../kernels/sampling";
import type { BufferView } from "../gpu/buffers";
import { FinalNormGradients, from } from "./final-norm";
import { ForwardPass, type ForwardShape, type RecordedForward, type TokenStatistics } from "./forward-pass";
import { STATISTICS_BYTES } from "./head";
import type { Model } from "./model";
import { type GradientTargets, projectBackward } from "./projection";
import type { TrainingSequence } from "./sequence-upload";
import type { Trunk } from "./trunk";
import { TrunkGradients } from "./trunk-gradients";
import { ParameterValues } from "./values";

export type { TokenStatistics } from "./forward-pass";
export type { TrainingSequence } from "./sequence-upload";

/** Sizes of the training buffers. */
export interface TrainingShape extends ForwardShape {
  /** Compute each layer's activations again in the backward pass instead of keeping them. */
  readonly recompute: boolean;
}

/** See the file's header. `gradients` holds the accumulated gradient until `clearGradients`. */
export class TrainingPass {
  readonly gradients: ParameterValues;
  readonly #targets: GradientTargets;
  readonly #scoring: ForwardPass;
  readonly trunkGradients: TrunkGradients;
  readonly #normGradients: FinalNormGradients;
  readonly #coefficients: BufferView;
  readonly #entropyCoefficients: BufferView;
  #pending: RecordedForward | undefined;

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
    this.#scoring = new ForwardPass(model, shape, shape.recompute ? "inputs" : "everything", "training");
    this.trunkGradients = new TrunkGradients(model, this.#scoring.trunk, "training");
    this.#normGradients = new FinalNormGradients(model, this.#scoring.head.norm, `${labelPrefix}training`);
    const allocate = (name: string, elements: number) =>
      gpu.allocator.storage(`${labelPrefix}training (${name})`, elements * 4);
    this.#coefficients = allocate("coefficients", shape.rows);
    this.#entropyCoefficients = allocate("entropy coefficients", shape.rows);
  }

  /**
   * Whether a micro-batch of these sequences fits the buffers.
   */
  fits(sequences: number, rows: number): boolean {
    return this.#scoring.fits(sequences, rows);
  }

  /** The buffers of the layers, for another pass to use again while nothing waits for a backward here. */
  get trunk(): Trunk {
    return this.#scoring.trunk;
  }

  clearGradients(): void {
    this.gradients.clear();
  }

  /**
   * Log-probs and entropies of the scored tokens at `temperature`. What `backward` needs is kept on the GPU until the next call.
   * @throws RangeError when the sequences do not fit; see {@link fits}
   */
  async forward(sequences: readonly TrainingSequence[], temperature: number): Promise<TokenStatistics> {
    const pending = this.#scoring.record(sequences, temperature);
    this.#pending = pending;
    return this.#scoring.statistics(pending);
  }

  /**
   * Adds to the gradients the gradient of sum_t coefficients[t] * log-prob[t] + entropyCoefficients[t] * entropy[t] of the last `forward`, both in its order; the
   * second sum only where its coefficients are given. Records and submits; nothing is read back.
   */
  backward(coefficients: Float32Array, entropyCoefficients?: Float32Array): void {
    const { gpu } = this.model;
    const pending = this.#pending;
    if (pending === undefined) throw new Error("backward needs a forward before it");
    const scoredCount = pending.rows.scored.length;
    if (coefficients.length !== scoredCount)
      throw new RangeError(`${scoredCount} tokens were scored, ${coefficients.length} coefficients given`);
    if (entropyCoefficients !== undefined && entropyCoefficients.length !== coefficients.length)
      throw new RangeError(`${coefficients.length} coefficients, but ${entropyCoefficients.length} of entropies`);
    this.#pending = undefined;
    gpu.write(this.#coefficients, coefficients);
    if (entropyCoefficients !== undefined) gpu.write(this.#entropyCoefficients, entropyCoefficients);
    this.trunkGradients.backward(this.model, this.#targets, pending.rows, (doutput) =>
      this.#headBackward(pending, doutput, entropyCoefficients !== undefined),
    );
  }

  destroy(): void {
    for (const part of [this.gradients, this.#scoring, this.trunkGradients, this.#normGradients]) part.destroy();
    for (const view of [this.#coefficients, this.#entropyCoefficients]) this.model.gpu.allocator.destroy(view);
  }

  #headBackward(pending: RecordedForward, doutput: BufferView, withEntropy: boolean): void {
    const { gpu } = this.model;
    const { head, trunk } = this.#scoring;
    const { dnormed } = this.#normGradients;
    let current = pending.lastChunk;
    // The last chunk's logits are still there, so it goes first; the others are computed again.
    for (const chunk of [...head.chunks(pending.rows.scored.length)].reverse()) {
      if (chunk.begin !== current) head.logitsOf(trunk.output, chunk.begin, chunk.count);
      current = -1;
      logitsGradient(
        gpu,
        {
          statistics: from(head.statistics, chunk.begin * STATISTICS_BYTES),
          coefficients: from(this.#coefficients, chunk.begin * 4),
          ...(withEntropy && { entropyCoefficients: from(this.#entropyCoefficients, chunk.begin * 4) }),
          logits: head.logits,
        },
        head.shape(chunk.count, this.shape.sequenceLength),
        pending.temperature,
      );
      const views = { x: head.norm.normed, dy: head.logits, dx: dnormed };
      projectBackward(this.model, this.#targets, head.matrix, views, chunk.count, head.stride);
      this.#normGradients.backward(this.#targets, chunk, this.trunkGradients.partials, doutput);
    }
  }
}
