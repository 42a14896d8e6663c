/** AdamW over flat runs of parameters, with moments of 8 bits. */
import adamwText from "../shaders/adamw_8bit.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { momentBlocks, momentLevels } from "./moment_blocks";
import { ADAMW_PARAMS, type AdamWStep, adamwParams } from "./optimizer";
import { defineProgram, linearGrid } from "./program";

const program = defineProgram("adamw_8bit", adamwText, {
  bindings: ["gradient", "norm", "levels", "weight", "first_bytes", "second_bytes", "first_scales", "second_scales"],
  params: ADAMW_PARAMS,
});

/** What the `levels` buffer holds: those of the first moment, then those of the second. */
export const adamw8bitLevels = Float32Array.of(...momentLevels.first, ...momentLevels.second);

/** One AdamW step over `count` elements, of which the first `decayEnd` decay. Both multiples of 4. */
export function adamw8bit(
  gpu: GpuContext,
  views: {
    gradient: BufferView;
    norm: BufferView;
    levels: BufferView;
    weight: BufferView;
    firstBytes: BufferView;
    secondBytes: BufferView;
    firstScales: BufferView;
    secondScales: BufferView;
  },
  shape: { count: number; decayEnd: number },
  step: AdamWStep,
): void {
  program.record(gpu, {
    bindings: {
      gradient: views.gradient,
      norm: views.norm,
      levels: views.levels,
      weight: views.weight,
      first_bytes: views.firstBytes,
      second_bytes: views.secondBytes,
      first_scales: views.firstScales,
      second_scales: views.secondScales,
    },
    params: adamwParams(shape, step),
    grid: linearGrid(momentBlocks(shape.count)),
  });
}
