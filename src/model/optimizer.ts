/**
 * AdamW over all segments with clipping by the global gradient norm, which stays on the GPU until it is read for the
 * log.
 */
import { type AdamWStep, adamw, isUpdate } from "../../kernels/adamw";
import { adamw8bit, adamw8bitLevels } from "../../kernels/adamw_8bit";
import { gradientNorm, normPartials, sumSquares } from "../../kernels/gradient_norm";
import { at } from "../base/must";
import type { BufferView } from "../gpu/buffers";
import { BlockMoments } from "./block-moments";
import type { Model } from "./model";
import { ParameterValues } from "./values";

/** How AdamW's moments are kept, in TRL's words: f32, or blocks of 8 bits. */
export const optimizerKinds = ["adamw", "adamw_8bit"] as const;
export type OptimizerKind = (typeof optimizerKinds)[number];

/** One moment of every trained tensor. */
export type Moments = ParameterValues | BlockMoments;

/** Moments and step count; `step` is the number of updates done. */
export class Optimizer {
  readonly firstMoment: Moments;
  readonly secondMoment: Moments;
  step = 0;
  #updating = false;
  readonly #partials: BufferView;
  readonly #norm: BufferView;
  readonly #partialCount: number;
  readonly #adamw: (segment: number, gradient: BufferView, step: AdamWStep) => void;
  readonly #levels: BufferView | undefined;
  readonly #model: Model;

  constructor(model: Model, kind: OptimizerKind = "adamw") {
    this.#model = model;
    const { gpu, labelPrefix } = model;
    const { layout } = model.trained;
    this.#partialCount = layout.segments.reduce((sum, segment) => sum + normPartials(segment.length), 0);
    this.#partials = gpu.allocator.storage(`${labelPrefix}gradient norm partials`, this.#partialCount * 4);
    const norm = gpu.allocator.storage(`${labelPrefix}gradient norm`, 4);
    this.#norm = norm;
    const weightOf = (segment: number) => at(model.trained.segments, segment);
    const shapeOf = (segment: number) => {
      const { length, decayEnd } = at(layout.segments, segment);
      return { count: length, decayEnd };
    };
    if (kind === "adamw") {
      const first = new ParameterValues(gpu, layout, `${labelPrefix}AdamW first moment`);
      const second = new ParameterValues(gpu, layout, `${labelPrefix}AdamW second moment`);
      [this.firstMoment, this.secondMoment] = [first, second];
      this.#adamw = (segment, gradient, step) => {
        const moments = { firstMoment: at(first.segments, segment), secondMoment: at(second.segments, segment) };
        adamw(gpu, { gradient, norm, weight: weightOf(segment), ...moments }, shapeOf(segment), step);
      };
    } else {
      const first = new BlockMoments(gpu, layout, "first", labelPrefix);
      const second = new BlockMoments(gpu, layout, "second", labelPrefix);
      [this.firstMoment, this.secondMoment] = [first, second];
      const levels = gpu.allocator.storage(`${labelPrefix}AdamW levels`, adamw8bitLevels.byteLength);
      gpu.write(levels, adamw8bitLevels);
      this.#levels = levels;
      this.#adamw = (segment, gradient, step) => {
        const { bytes: firstBytes, scales: firstScales } = first.segment(segment);
        const { bytes: secondBytes, scales: secondScales } = second.segment(segment);
        const moments = { firstBytes, firstScales, secondBytes, secondScales };
        adamw8bit(gpu, { gradient, norm, levels, weight: weightOf(segment), ...moments }, shapeOf(segment), step);
      };
    }
  }

  /**
   * One update of the weights from the accumulated gradients. Returns the gradient norm before clipping; where it is
   * not finite or above `skipNorm`, nothing was changed and the step does not count.
   * @throws RangeError when the gradients are of another layout
   */
  async update(gradients: ParameterValues, settings: Omit<AdamWStep, "step">): Promise<number> {
    const { gpu, trained } = this.#model;
    const { layout } = trained;
    let partialOffset = 0;
    layout.segments.forEach((segment, index) => {
      const gradient = at(gradients.segments, index);
      sumSquares(gpu, { gradient, partials: this.#partials }, { count: segment.length, partialOffset });
      partialOffset += normPartials(segment.length);
    });
    gradientNorm(gpu, { partials: this.#partials, norm: this.#norm }, this.#partialCount);
    layout.segments.forEach((_, index) => {
      this.#adamw(index, at(gradients.segments, index), { ...settings, step: this.step + 1 });
    });
    this.#model.storeTrained();
    const norm = await this.#readNorm();
    if (isUpdate(norm, settings)) this.step++;
    return norm;
  }

  /** The norm of the update that was just recorded, once it is done. */
  async #readNorm(): Promise<number> {
    this.#updating = true;
    try {
      return at(await this.#model.gpu.readback.readFloats(this.#norm, 1), 0);
    } finally {
      this.#updating = false;
    }
  }

  /** Updates that whatever is recorded from now on will see: those done, and the one whose norm is awaited. */
  get version(): number {
    return this.step + Number(this.#updating);
  }

  destroy(): void {
    this.firstMoment.destroy();
    this.secondMoment.destroy();
    this.#model.gpu.allocator.destroy(this.#partials);
    this.#model.gpu.allocator.destroy(this.#norm);
    if (this.#levels !== undefined) this.#model.gpu.allocator.destroy(this.#levels);
  }
}
