/** Global gradient norm over flat runs of parameters: partial sums of squares, then their root. */

import gradientNormText from "../shaders/gradient_norm.wgsl?raw";
import sumSquaresText from "../shaders/sum_squares.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { defineProgram, elementGrid } from "./program";

const sumSquaresProgram = defineProgram("sum_squares", sumSquaresText, {
  bindings: ["gradient", "partials"],
  params: ["count4", "block4", "blocks", "partial_offset"],
});
const gradientNormProgram = defineProgram("gradient_norm", gradientNormText, {
  bindings: ["partials", "norm"],
  params: ["count"],
});

/** Elements per partial sum of squares. */
export const NORM_BLOCK = 1024;

/** Partial sums that a run of `count` elements needs. */
export function normPartials(count: number): number {
  return Math.ceil(count / NORM_BLOCK);
}

/** partials[offset ..] = sums of squares of blocks of the gradient. `count` elements, a multiple of 4. */
export function sumSquares(
  gpu: GpuContext,
  views: { gradient: BufferView; partials: BufferView },
  shape: { count: number; partialOffset: number },
): void {
  const blocks = normPartials(shape.count);
  sumSquaresProgram.record(gpu, {
    bindings: views,
    params: { count4: shape.count / 4, block4: NORM_BLOCK / 4, blocks, partial_offset: shape.partialOffset },
    grid: elementGrid(blocks),
  });
}

/** norm[0] = sqrt(sum of `count` partials). */
export function gradientNorm(gpu: GpuContext, views: { partials: BufferView; norm: BufferView }, count: number): void {
  gradientNormProgram.record(gpu, { bindings: views, params: { count }, grid: [1, 1, 1] });
}
