/**
 * AdamW over flat runs of parameters, with moments in f32; what a step of it is, for AdamW with moments of 8 bits too.
 */

import adamwText from "../shaders/adamw.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { defineProgram, elementGrid } from "./program";

/** Parameters of the AdamW programs; {@link adamwParams} gives their values. */
export const ADAMW_PARAMS = [
  "count4",
  "decay_end4",
  "learning_rate",
  "beta1",
  "beta2",
  "epsilon",
  "weight_decay",
  "correction1",
  "correction2",
  "max_norm",
  "skip_norm",
] as const;
const adamwProgram = defineProgram("adamw", adamwText, {
  bindings: ["gradient", "norm", "weight", "first_moment", "second_moment"],
  params: ADAMW_PARAMS,
});

/** Hyper-parameters of one AdamW step; `step` counts from 1. `maxNorm` 0 means no clipping. */
export interface AdamWStep {
  readonly step: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly maxNorm: number;
  /** A norm above it changes nothing; absent: none does. */
  readonly skipNorm?: number;
}

/** Whether a step with this norm changes anything. The kernels decide the same, in f32. */
export function isUpdate(norm: number, { skipNorm }: Pick<AdamWStep, "skipNorm">): boolean {
  return Number.isFinite(norm) && (skipNorm === undefined || norm <= Math.fround(skipNorm));
}

/** The parameters of an AdamW program. */
export function adamwParams(shape: { count: number; decayEnd: number }, step: AdamWStep) {
  return {
    count4: shape.count / 4,
    decay_end4: shape.decayEnd / 4,
    learning_rate: step.learningRate,
    beta1: step.beta1,
    beta2: step.beta2,
    epsilon: step.epsilon,
    weight_decay: step.weightDecay,
    correction1: 1 / (1 - step.beta1 ** step.step),
    correction2: 1 / (1 - step.beta2 ** step.step),
    max_norm: step.maxNorm,
    skip_norm: step.skipNorm ?? 0,
  };
}

/** One AdamW step over `count` elements, of which the first `decayEnd` decay. Both multiples of 4. */
export function adamw(
  gpu: GpuContext,
  views: {
    gradient: BufferView;
    norm: BufferView;
    weight: BufferView;
    firstMoment: BufferView;
    secondMoment: BufferView;
  },
  shape: { count: number; decayEnd: number },
  step: AdamWStep,
): void {
  adamwProgram.record(gpu, {
    bindings: {
      gradient: views.gradient,
      norm: views.norm,
      weight: views.weight,
      first_moment: views.firstMoment,
      second_moment: views.secondMoment,
    },
    params: adamwParams(shape, step),
    grid: elementGrid(shape.count / 4),
  });
}
