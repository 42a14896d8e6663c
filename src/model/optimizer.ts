/** AdamW over all segments with clipping by the global gradient norm, which stays on the GPU until it is read for the log. */
import { type AdamWStep, adamw, gradientNorm, normPartials, sumSquares } from "../../kernels/optimizer";
import type { BufferView } from "../gpu/buffers";
import type { Model } from "./model";
import { ParameterValues } from "./values";

/** Moments and step count; `step` is the number of updates done. */
export class Optimizer {
  readonly firstMoment: ParameterValues;
  readonly secondMoment: ParameterValues;
  step = 0;
  private readonly partials: BufferView;
  private readonly norm: BufferView;
  private readonly partialCount: number;

  constructor(private readonly model: Model) {
    const { gpu } = model;
    const { layout } = model.trained;
    this.firstMoment = new ParameterValues(gpu, layout, "AdamW first moment");
    this.secondMoment = new ParameterValues(gpu, layout, "AdamW second moment");
    this.partialCount = layout.segments.reduce((sum, segment) => sum + normPartials(segment.length), 0);
    this.partials = gpu.allocator.storage("gradient norm partials", this.partialCount * 4);
    this.norm = gpu.allocator.storage("gradient norm", 4);
  }

  /**
   * One update of the weights from the accumulated gradients. Returns the gradient norm before clipping; where it is not finite, nothing was changed and the
   * step does not count.
   */
  async update(gradients: ParameterValues, settings: Omit<AdamWStep, "step">): Promise<number> {
    const { gpu, trained } = this.model;
    const { layout } = trained;
    let partialOffset = 0;
    layout.segments.forEach((segment, index) => {
      const gradient = gradients.segments[index] ?? gpu.empty;
      sumSquares(gpu, { gradient, partials: this.partials }, { count: segment.length, partialOffset });
      partialOffset += normPartials(segment.length);
    });
    gradientNorm(gpu, { partials: this.partials, norm: this.norm }, this.partialCount);
    layout.segments.forEach((segment, index) => {
      adamw(
        gpu,
        {
          gradient: gradients.segments[index] ?? gpu.empty,
          norm: this.norm,
          weight: trained.segments[index] ?? gpu.empty,
          firstMoment: this.firstMoment.segments[index] ?? gpu.empty,
          secondMoment: this.secondMoment.segments[index] ?? gpu.empty,
        },
        { count: segment.length, decayEnd: segment.decayEnd },
        { ...settings, step: this.step + 1 },
      );
    });
    this.model.storeTrained();
    const [norm = Number.NaN] = await gpu.readback.readFloats(this.norm, 1);
    if (Number.isFinite(norm)) this.step++;
    return norm;
  }

  destroy(): void {
    this.firstMoment.destroy();
    this.secondMoment.destroy();
    this.model.gpu.allocator.destroy(this.partials);
    this.model.gpu.allocator.destroy(this.norm);
  }
}
