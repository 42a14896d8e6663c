/**
 * The critic's passes over whole sequences. Forward: V_t, the value of the state before each scored token, from the row
 * that predicts it. Backward: the gradient of a weighted sum of values, as {@link TrainingPass} gives that of
 * log-probs.
 */
import { at } from "../base/must";
import type { BufferView } from "../gpu/buffers";
import { aligned, chunksOf, viewFrom } from "./chunks";
import { FinalNorm, FinalNormBackward } from "./final-norm";
import type { Model } from "./model";
import { TrainingPass } from "./policy-pass";
import { type GradientTargets, project, projectBackward } from "./projection";
import type { Parameter } from "./segments";
import type { SequenceRows, TrainingSequence } from "./sequences";
import { Trunk, TrunkBackward, type TrunkShape } from "./trunk";
import { ParameterValues } from "./values";

/** Sizes of the buffers. */
export interface ValueShape extends TrunkShape {
  /** Compute each layer's activations again in the backward pass instead of keeping them. */
  readonly recompute: boolean;
}

/** Rows that are normalised at one time: enough to fill a GPU, and little memory beside the activations. */
const CHUNK_ROWS = 512;
/** Kernels write rows in fours; the other three are 0. */
const STRIDE = 4;

/** See the file's header. `gradients` holds the accumulated gradient until `clearGradients`. */
export class ValuePass {
  readonly shape: ValueShape;
  /** Those of the training pass where that is the same model's: then one optimizer step sees the sum of both. */
  readonly gradients: ParameterValues;
  readonly #targets: GradientTargets;
  readonly #trunk: Trunk;
  readonly #trunkBackward: TrunkBackward;
  readonly #norm: FinalNorm;
  readonly #normBackward: FinalNormBackward;
  readonly #head: Parameter;
  /** [rows, 4]: V, and three zeros. */
  readonly #values: BufferView;
  readonly #coefficients: BufferView;
  readonly #owned: { destroy(): void }[];
  #pending: SequenceRows | undefined;
  readonly #model: Model;

  /**
   * @param on sizes of buffers of its own; or a training pass, whose layers have the same sizes and whose buffers are
   * used again: the two are never alive at the same time, from a forward to its backward
   * @throws Error when the model has no value head, or other sizes than the training pass
   */
  constructor(model: Model, on: ValueShape | TrainingPass) {
    this.#model = model;
    const { gpu, layout, labelPrefix } = model;
    if (layout.valueHead === undefined) throw new Error("the model has no value head");
    this.#head = layout.valueHead;
    this.shape = on instanceof TrainingPass ? on.shape : on;
    const { rows, recompute } = this.shape;
    const label = `${labelPrefix}value head`;
    const sharesModel = on instanceof TrainingPass && on.model === model;
    this.gradients = sharesModel ? on.gradients : new ParameterValues(gpu, layout, `${labelPrefix}gradients`);
    this.#targets = { model: this.gradients, adapter: undefined };
    this.#owned = sharesModel ? [] : [this.gradients];
    if (on instanceof TrainingPass) {
      ({ trunk: this.#trunk, trunkBackward: this.#trunkBackward } = on);
      this.#trunk.requireSizesOf(model.config);
    } else {
      this.#trunk = new Trunk(model, on, recompute ? "inputs" : "everything", "training");
      this.#trunkBackward = new TrunkBackward(model, this.#trunk, "training");
      this.#owned.push(this.#trunk, this.#trunkBackward);
    }
    this.#norm = new FinalNorm(model, rows, Math.min(CHUNK_ROWS, aligned(rows)), label);
    this.#normBackward = new FinalNormBackward(model, this.#norm, label);
    this.#owned.push(this.#norm, this.#normBackward);
    this.#values = gpu.allocator.storage(`${label} (values)`, aligned(rows) * STRIDE * 4);
    this.#coefficients = gpu.allocator.storage(`${label} (coefficients)`, aligned(rows) * STRIDE * 4);
  }

  /** Whether a micro-batch of these sequences fits the buffers. */
  fits(sequences: number, rows: number): boolean {
    return this.#trunk.fits(sequences, rows);
  }

  clearGradients(): void {
    this.gradients.clear();
  }

  /**
   * V of the state before each scored token, sequence after sequence, positions ascending. What `backward` needs is
   * kept on the GPU until the next call.
   * @throws RangeError when the sequences do not fit; see {@link fits}
   */
  async forward(sequences: readonly TrainingSequence[]): Promise<Float32Array> {
    const model = this.#model;
    const norm = this.#norm;
    const { gpu } = model;
    const rows = this.#trunk.forward(model, sequences);
    this.#pending = rows;
    const count = rows.scored.length;
    gpu.write(norm.rowIndex, rows.scored);
    for (const chunk of chunksOf(count, norm.chunkRows)) {
      norm.forward(this.#trunk.output, chunk);
      const y = viewFrom(this.#values, chunk.begin * STRIDE * 4);
      project(model, this.#head, { x: norm.normed, y }, chunk.count, STRIDE);
    }
    const values = await gpu.readback.readFloats(this.#values, count * STRIDE);
    return Float32Array.from({ length: count }, (_, place) => at(values, place * STRIDE));
  }

  /**
   * Adds to the gradients the gradient of sum_t coefficients[t] * V_t of the last `forward`, in its order. Records and
   * submits; nothing is read back.
   * @throws RangeError when there is not one coefficient for each value
   */
  backward(coefficients: Float32Array): void {
    const { gpu } = this.#model;
    const rows = this.#pending;
    if (rows === undefined) throw new Error("backward needs a forward before it");
    const count = rows.scored.length;
    if (coefficients.length !== count)
      throw new RangeError(`${count} values were computed, ${coefficients.length} coefficients given`);
    this.#pending = undefined;
    const spread = new Float32Array(count * STRIDE);
    coefficients.forEach((coefficient, place) => {
      spread[place * STRIDE] = coefficient;
    });
    gpu.write(this.#coefficients, spread);
    this.#trunkBackward.backward(this.#model, this.#targets, rows, (doutput) => this.#headBackward(count, doutput));
  }

  destroy(): void {
    for (const part of this.#owned) part.destroy();
    for (const view of [this.#values, this.#coefficients]) this.#model.gpu.allocator.destroy(view);
  }

  #headBackward(count: number, doutput: BufferView): void {
    const model = this.#model;
    const norm = this.#norm;
    const normBackward = this.#normBackward;
    const chunks = [...chunksOf(count, norm.chunkRows)];
    for (const chunk of chunks) {
      // A single chunk is still there.
      if (chunks.length > 1) norm.forward(this.#trunk.output, chunk);
      const dy = viewFrom(this.#coefficients, chunk.begin * STRIDE * 4);
      const views = { x: norm.normed, dy, dx: normBackward.dnormed };
      projectBackward(model, this.#targets, this.#head, views, chunk.count, STRIDE);
      normBackward.backward(this.#targets, chunk, this.#trunkBackward.partials, doutput);
    }
  }
}
