/** Linear layer in its three transposes: y = x W^T (+ bias) (+ residual), dx = dy W, dW += dy^T x. */

import forward from "../shaders/linear.wgsl?raw";
import inputGradient from "../shaders/linear_input_gradient.wgsl?raw";
import weightGradient from "../shaders/linear_weight_gradient.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { tileLanes } from "./lanes";
import { defineProgram } from "./program";

const linearProgram = defineProgram("linear", forward, {
  bindings: ["x", "weight", "bias", "residual", "y"],
  params: ["rows", "columns", "inner4", "y_stride", "y_offset"],
});
const inputGradientProgram = defineProgram("linear_input_gradient", inputGradient, {
  bindings: ["dy", "weight", "dx"],
  params: ["rows", "outer", "width4", "dy_stride", "dy_offset"],
});
const weightGradientProgram = defineProgram("linear_weight_gradient", weightGradient, {
  bindings: ["dy", "x", "dweight"],
  params: ["rows", "outer", "width4", "dy_stride", "dy_offset"],
});

const TILE_M = 4;
const TILE_N = 4;
const GRADIENT_TILE = 8;

/**
 * `rows` of x, weight [outer, inner]; y's rows are `stride` elements long (outer unless given) and this weight's columns start at `offset` in them, so that a
 * weight in shards writes one y. `inner` is a multiple of 4.
 */
export interface LinearShape {
  readonly rows: number;
  readonly outer: number;
  readonly inner: number;
  readonly stride?: number;
  readonly offset?: number;
}

/** y = x W^T (+ bias) (+ residual, which has the layout of y and must be another buffer). */
export function linear(
  gpu: GpuContext,
  views: { x: BufferView; weight: BufferView; bias?: BufferView; residual?: BufferView; y: BufferView },
  shape: LinearShape,
): void {
  const lanes = tileLanes(gpu.profile);
  linearProgram.record(gpu, {
    bindings: {
      x: views.x,
      weight: views.weight,
      bias: views.bias ?? gpu.empty,
      residual: views.residual ?? gpu.empty,
      y: views.y,
    },
    params: {
      rows: shape.rows,
      columns: shape.outer,
      inner4: shape.inner / 4,
      y_stride: shape.stride ?? shape.outer,
      y_offset: shape.offset ?? 0,
    },
    constants: {
      TILE_M,
      TILE_N,
      LANES: lanes,
      HAS_BIAS: views.bias !== undefined,
      HAS_RESIDUAL: views.residual !== undefined,
    },
    grid: [Math.ceil(shape.outer / (lanes * TILE_N)), Math.ceil(shape.rows / TILE_M), 1],
  });
}

/** dx = dy W, or dx += dy W when `accumulate` (weights in shards). */
export function linearInputGradient(
  gpu: GpuContext,
  views: { dy: BufferView; weight: BufferView; dx: BufferView },
  shape: LinearShape,
  accumulate = false,
): void {
  const lanes = tileLanes(gpu.profile);
  inputGradientProgram.record(gpu, {
    bindings: views,
    params: gradientParams(shape),
    constants: { TILE_M: GRADIENT_TILE, LANES: lanes, ACCUMULATE: accumulate },
    grid: [Math.ceil(shape.inner / 4 / lanes), Math.ceil(shape.rows / GRADIENT_TILE), 1],
  });
}

/** dW += dy^T x. */
export function linearWeightGradient(
  gpu: GpuContext,
  views: { dy: BufferView; x: BufferView; dweight: BufferView },
  shape: LinearShape,
): void {
  const lanes = tileLanes(gpu.profile);
  weightGradientProgram.record(gpu, {
    bindings: views,
    params: gradientParams(shape),
    constants: { TILE_N: GRADIENT_TILE, LANES: lanes },
    grid: [Math.ceil(shape.inner / 4 / lanes), Math.ceil(shape.outer / GRADIENT_TILE), 1],
  });
}

function gradientParams(shape: LinearShape) {
  return {
    rows: shape.rows,
    outer: shape.outer,
    width4: shape.inner / 4,
    dy_stride: shape.stride ?? shape.outer,
    dy_offset: shape.offset ?? 0,
  };
}
