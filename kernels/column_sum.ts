/**
 * Sums over rows for gradients of RMSNorm gains and of biases: blocks of rows first, then the blocks, both in ascending
 * order.
 */

import accumulate from "../shaders/column_accumulate.wgsl?raw";
import partials from "../shaders/column_partials.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { defineProgram, ELEMENT_LANES, elementGrid } from "./program";
import { type VectorShape, vectorParams } from "./rms_norm";

const partialsProgram = defineProgram("column_partials", partials, {
  bindings: ["dy", "x", "rstd", "partials"],
  params: ["rows", "vectors_per_row", "width4", "row_stride4", "vector_offset4", "block_size", "blocks"],
});
const accumulateProgram = defineProgram("column_accumulate", accumulate, {
  bindings: ["partials", "gradient"],
  params: ["blocks", "width4"],
});

/** Vectors summed by one invocation before partial sums are joined. */
export const COLUMN_BLOCK = 64;

/** Elements that `partials` must hold for this shape. */
export function columnPartialsLength(shape: VectorShape): number {
  return Math.ceil((shape.rows * shape.vectorsPerRow) / COLUMN_BLOCK) * shape.width;
}

/**
 * gradient += sum over vectors of dy, or of dy * x * rstd when `normalised` gives the input of an RMSNorm.
 * `gradient` has `shape.width` elements, `partials` at least {@link columnPartialsLength}.
 */
export function columnSum(
  gpu: GpuContext,
  views: {
    dy: BufferView;
    normalised?: { x: BufferView; rstd: BufferView };
    partials: BufferView;
    gradient: BufferView;
  },
  shape: VectorShape,
): void {
  const blocks = Math.ceil((shape.rows * shape.vectorsPerRow) / COLUMN_BLOCK);
  partialsProgram.record(gpu, {
    bindings: {
      dy: views.dy,
      x: views.normalised?.x ?? gpu.empty,
      rstd: views.normalised?.rstd ?? gpu.empty,
      partials: views.partials,
    },
    params: { ...vectorParams(shape), block_size: COLUMN_BLOCK, blocks },
    constants: { NORMALISED: views.normalised !== undefined },
    grid: elementGrid((blocks * shape.width) / 4),
  });
  accumulateProgram.record(gpu, {
    bindings: { partials: views.partials, gradient: views.gradient },
    params: { blocks, width4: shape.width / 4 },
    grid: [Math.ceil(shape.width / 4 / ELEMENT_LANES), 1, 1],
  });
}
