/**
 * The gated linear layer of SwiGLU (Shazeer 2020): gate and up in one product, and silu(gate) * up; and the gradient of
 * what comes after it. One dispatch each on hardware, where dispatches of small batches cost more than arithmetic.
 */

import inputGradient from "../shaders/linear_gated_input_gradient_tiled.wgsl?raw";
import forward from "../shaders/linear_gated_tiled.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { FEW_ROWS, linear, linearInputGradient } from "./linear";
import { defineByStorage } from "./program";
import { swiglu, swigluBackward } from "./swiglu";
import type { WeightStorage } from "./weight_storage";

const forwardPrograms = defineByStorage("linear_gated_tiled", forward, {
  bindings: ["x", "weight", "gate_up", "activated"],
  params: ["rows", "width", "inner4"],
});
const inputGradientPrograms = defineByStorage("linear_gated_input_gradient_tiled", inputGradient, {
  bindings: ["dy", "weight", "gate_up", "dgate_up"],
  params: ["rows", "outer", "width4", "dy_stride", "dy_offset"],
});

/** x [rows, inner], weight [2 width, inner]: gate rows, then up rows. */
export interface GatedShape {
  readonly rows: number;
  readonly width: number;
  readonly inner: number;
  readonly storage: WeightStorage;
}

/** gateUp [rows, 2 width] = x W^T, activated [rows, width] = silu(gate) * up. */
export function linearGated(
  gpu: GpuContext,
  views: { x: BufferView; weight: BufferView; gateUp: BufferView; activated: BufferView },
  { rows, width, inner, storage }: GatedShape,
): void {
  const { x, weight, gateUp, activated } = views;
  if (gpu.profile.tiles === "register") {
    linear(gpu, { x, weight, y: gateUp }, { rows, outer: 2 * width, inner, storage });
    swiglu(gpu, { gateUp, y: activated }, { rows, width });
    return;
  }
  const isFew = rows <= FEW_ROWS;
  forwardPrograms[storage].record(gpu, {
    bindings: { x, weight, gate_up: gateUp, activated },
    params: { rows, width, inner4: inner / 4 },
    constants: isFew ? { ROWS4: 1, ROWS: 4, PARTS: 2 } : {},
    grid: [Math.ceil(width / 32), Math.ceil(rows / (isFew ? 32 : 64)), 1],
  });
}

/**
 * dgateUp [rows, 2 width] from the gradient dy [rows, outer] of y = activated W^T, W [outer, width]. `dactivated`
 * [rows, width] is workspace.
 */
export function linearGatedInputGradient(
  gpu: GpuContext,
  views: { dy: BufferView; weight: BufferView; gateUp: BufferView; dgateUp: BufferView; dactivated: BufferView },
  { rows, outer, width, storage }: Omit<GatedShape, "inner"> & { readonly outer: number },
): void {
  const { dy, weight, gateUp, dgateUp, dactivated } = views;
  if (gpu.profile.tiles === "register") {
    linearInputGradient(gpu, { dy, weight, dx: dactivated }, { rows, outer, inner: width, storage });
    swigluBackward(gpu, { gateUp, dy: dactivated, dgateUp }, { rows, width });
    return;
  }
  inputGradientPrograms[storage].record(gpu, {
    bindings: { dy, weight, gate_up: gateUp, dgate_up: dgateUp },
    params: { rows, outer, width4: width / 4, dy_stride: outer, dy_offset: 0 },
    grid: [Math.ceil(width / 64), Math.ceil(rows / 64), 1],
  });
}
