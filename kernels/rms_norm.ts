/** RMSNorm over rows, or over the heads inside rows, and its gradients. */

import forward from "../shaders/rms_norm.wgsl?raw";
import backward from "../shaders/rms_norm_backward.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { rowGrid, rowReduceConstants } from "./lanes";
import { defineProgram } from "./program";

const rmsNormProgram = defineProgram("rms_norm", forward, {
  bindings: ["x", "gain", "y", "rstd"],
  params: ["rows", "vectors_per_row", "width4", "row_stride4", "vector_offset4", "epsilon"],
});
const rmsNormBackwardProgram = defineProgram("rms_norm_backward", backward, {
  bindings: ["x", "gain", "rstd", "dy", "residual_gradient", "dx"],
  params: ["rows", "vectors_per_row", "width4", "row_stride4", "vector_offset4"],
});

/**
 * Which vectors of which rows: `vectorsPerRow` vectors of `width` elements, from element `vectorOffset` of rows
 * `rowStride` long. All multiples of 4.
 */
export interface VectorShape {
  readonly rows: number;
  readonly vectorsPerRow: number;
  readonly width: number;
  readonly rowStride: number;
  readonly vectorOffset: number;
}

/** One vector per row that fills the row. */
export function wholeRows(rows: number, width: number): VectorShape {
  return { rows, vectorsPerRow: 1, width, rowStride: width, vectorOffset: 0 };
}

/** The parameters that every program over vectors shares. */
export function vectorParams(shape: VectorShape) {
  return {
    rows: shape.rows,
    vectors_per_row: shape.vectorsPerRow,
    width4: shape.width / 4,
    row_stride4: shape.rowStride / 4,
    vector_offset4: shape.vectorOffset / 4,
  };
}

/** y = x * rstd * gain; writes rstd [rows * vectorsPerRow] for the backward pass. */
export function rmsNorm(
  gpu: GpuContext,
  views: { x: BufferView; gain: BufferView; y: BufferView; rstd: BufferView },
  shape: VectorShape,
  epsilon: number,
): void {
  rmsNormProgram.record(gpu, {
    bindings: views,
    params: { ...vectorParams(shape), epsilon },
    constants: rowReduceConstants(gpu.profile),
    grid: rowGrid(gpu.profile, shape.rows * shape.vectorsPerRow),
  });
}

/** dx of {@link rmsNorm}, plus `residualGradient` when there is one. */
export function rmsNormBackward(
  gpu: GpuContext,
  views: {
    x: BufferView;
    gain: BufferView;
    rstd: BufferView;
    dy: BufferView;
    residualGradient?: BufferView;
    dx: BufferView;
  },
  shape: VectorShape,
): void {
  rmsNormBackwardProgram.record(gpu, {
    bindings: {
      x: views.x,
      gain: views.gain,
      rstd: views.rstd,
      dy: views.dy,
      residual_gradient: views.residualGradient ?? gpu.empty,
      dx: views.dx,
    },
    params: vectorParams(shape),
    constants: { ...rowReduceConstants(gpu.profile), HAS_RESIDUAL: views.residualGradient !== undefined },
    grid: rowGrid(gpu.profile, shape.rows * shape.vectorsPerRow),
  });
}
