/** Linear layer in its three transposes: y = x W^T (+ bias) (+ residual), dx = dy W, dW += dy^T x. */

import forward from "../shaders/linear.wgsl?raw";
import inputGradient from "../shaders/linear_input_gradient.wgsl?raw";
import inputGradientSubgroup from "../shaders/linear_input_gradient_subgroup.wgsl?raw";
import inputGradientTiled from "../shaders/linear_input_gradient_tiled.wgsl?raw";
import forwardSubgroup from "../shaders/linear_subgroup.wgsl?raw";
import forwardTiled from "../shaders/linear_tiled.wgsl?raw";
import weightGradient from "../shaders/linear_weight_gradient.wgsl?raw";
import weightGradientSubgroup from "../shaders/linear_weight_gradient_subgroup.wgsl?raw";
import weightGradientTiled from "../shaders/linear_weight_gradient_tiled.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { sharingLanes, TILE_LANES } from "./lanes";
import { type Constants, defineByStorage, defineProgram } from "./program";
import type { WeightStorage } from "./weight_storage";

const FORWARD = {
  bindings: ["x", "weight", "bias", "residual", "y"],
  params: ["rows", "columns", "inner4", "y_stride4", "y_offset4", "scale"],
} as const;
const INPUT_GRADIENT = {
  bindings: ["dy", "weight", "dx"],
  params: ["rows", "outer", "width4", "dy_stride", "dy_offset", "scale"],
} as const;
const WEIGHT_GRADIENT = {
  bindings: ["dy", "x", "dweight"],
  params: ["rows", "outer", "width4", "dy_stride", "dy_offset"],
} as const;

/**
 * Programs in which each lane loads for itself, those that share loads through the subgroup, and those that stage tiles
 * in workgroup memory.
 */
const own = {
  forward: defineByStorage("linear", forward, FORWARD),
  inputGradient: defineByStorage("linear_input_gradient", inputGradient, INPUT_GRADIENT),
  weightGradient: defineProgram("linear_weight_gradient", weightGradient, WEIGHT_GRADIENT),
};
const shared = {
  forward: defineByStorage("linear_subgroup", forwardSubgroup, FORWARD),
  inputGradient: defineByStorage("linear_input_gradient_subgroup", inputGradientSubgroup, INPUT_GRADIENT),
  weightGradient: defineProgram("linear_weight_gradient_subgroup", weightGradientSubgroup, WEIGHT_GRADIENT),
};

const tiled = {
  forward: defineByStorage("linear_tiled", forwardTiled, FORWARD),
  inputGradient: defineByStorage("linear_input_gradient_tiled", inputGradientTiled, INPUT_GRADIENT),
  weightGradient: defineProgram("linear_weight_gradient_tiled", weightGradientTiled, WEIGHT_GRADIENT),
};

/** Rows of y per lane, and rows of dx or of dweight per lane, where each lane loads for itself. */
const TILE_M = 4;
const GRADIENT_TILE = 8;
/** Rows of a tile where the subgroup shares its loads. */
const SHARED_ROWS = 16;

interface Tiling {
  readonly programs: typeof own;
  /** vec4 of columns that a workgroup owns, and rows: of y, and of dx or dweight. */
  readonly forward: { readonly columns4: number; readonly rows: number; readonly constants: Constants };
  readonly gradient: { readonly columns4: number; readonly rows: number };
  readonly inputConstants: Constants;
  readonly weightConstants: Constants;
}

/** Most rows for which columns are many enough to let groups of lanes share a row's sum. */
export const FEW_ROWS = 64;

/** One choice for all three transposes, from the device profile; the forward pass has a tile for few rows beside. */
function tiling({ profile }: GpuContext, rows: number): Tiling {
  if (profile.tiles === "workgroup")
    return {
      programs: tiled,
      forward:
        rows <= FEW_ROWS
          ? { columns4: 8, rows: 32, constants: { ROWS4: 1, ROWS: 4, COLUMNS4: 1, PARTS: 4 } }
          : { columns4: 16, rows: 64, constants: {} },
      gradient: { columns4: 16, rows: 64 },
      inputConstants: {},
      weightConstants: {},
    };
  const sharing = sharingLanes(profile);
  if (sharing !== undefined) {
    const constants = { ROUNDS: SHARED_ROWS / sharing, LANES: sharing };
    return {
      programs: shared,
      forward: { columns4: sharing, rows: SHARED_ROWS, constants },
      gradient: { columns4: sharing, rows: SHARED_ROWS },
      inputConstants: constants,
      weightConstants: constants,
    };
  }
  return {
    programs: own,
    forward: { columns4: TILE_LANES, rows: TILE_M, constants: { TILE_M, LANES: TILE_LANES } },
    gradient: { columns4: TILE_LANES, rows: GRADIENT_TILE },
    inputConstants: { TILE_M: GRADIENT_TILE, LANES: TILE_LANES },
    weightConstants: { TILE_N: GRADIENT_TILE, LANES: TILE_LANES },
  };
}

/**
 * `rows` of x, weight [outer, inner]; y's rows are `stride` elements long (outer unless given) and this weight's
 * columns start at `offset` in them, so that a weight in shards writes one y. `inner`, `stride` and `offset` are
 * multiples of 4.
 */
export interface LinearShape {
  readonly rows: number;
  readonly outer: number;
  readonly inner: number;
  readonly stride?: number;
  readonly offset?: number;
  /** How the weight lies in memory; f32 unless given. Its gradient is always f32. */
  readonly storage?: WeightStorage;
  /** Multiplies the product with the weight; 1 unless given. The weight's gradient knows nothing of it. */
  readonly scale?: number;
}

/**
 * y = scale x W^T (+ bias) (+ residual, which has the layout of y and must be another buffer), or y += it when
 * `accumulate`. Columns from `outer` up to a multiple of 4 become 0.
 */
export function linear(
  gpu: GpuContext,
  views: { x: BufferView; weight: BufferView; bias?: BufferView; residual?: BufferView; y: BufferView },
  shape: LinearShape,
  accumulate = false,
): void {
  const { programs, forward: tile } = tiling(gpu, shape.rows);
  const { stride = shape.outer, offset = 0 } = shape;
  if (stride % 4 !== 0 || offset % 4 !== 0)
    throw new RangeError(`linear writes rows in vec4: stride ${stride} and offset ${offset} must be multiples of 4`);
  programs.forward[shape.storage ?? "f32"].record(gpu, {
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
      y_stride4: stride / 4,
      y_offset4: offset / 4,
      scale: shape.scale ?? 1,
    },
    constants: {
      ...tile.constants,
      HAS_BIAS: views.bias !== undefined,
      HAS_RESIDUAL: views.residual !== undefined,
      ACCUMULATE: accumulate,
    },
    grid: [Math.ceil(shape.outer / (tile.columns4 * 4)), Math.ceil(shape.rows / tile.rows), 1],
  });
}

/** dx = scale dy W, or dx += it when `accumulate` (weights in shards). */
export function linearInputGradient(
  gpu: GpuContext,
  views: { dy: BufferView; weight: BufferView; dx: BufferView },
  shape: LinearShape,
  accumulate = false,
): void {
  const { programs, gradient: tile, inputConstants } = tiling(gpu, shape.rows);
  programs.inputGradient[shape.storage ?? "f32"].record(gpu, {
    bindings: views,
    params: { ...gradientParams(shape), scale: shape.scale ?? 1 },
    constants: { ...inputConstants, ACCUMULATE: accumulate },
    grid: [Math.ceil(shape.inner / 4 / tile.columns4), Math.ceil(shape.rows / tile.rows), 1],
  });
}

/** dW += dy^T x. */
export function linearWeightGradient(
  gpu: GpuContext,
  views: { dy: BufferView; x: BufferView; dweight: BufferView },
  shape: LinearShape,
): void {
  const { programs, gradient: tile, weightConstants } = tiling(gpu, shape.rows);
  programs.weightGradient.record(gpu, {
    bindings: views,
    params: gradientParams(shape),
    constants: weightConstants,
    grid: [Math.ceil(shape.inner / 4 / tile.columns4), Math.ceil(shape.outer / tile.rows), 1],
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
