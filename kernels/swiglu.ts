/** SwiGLU over rows that hold gate, then up. */

import forward from "../shaders/swiglu.wgsl?raw";
import backward from "../shaders/swiglu_backward.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { defineProgram, elementGrid } from "./program";

const swigluProgram = defineProgram("swiglu", forward, { bindings: ["gate_up", "y"], params: ["rows", "width4"] });
const swigluBackwardProgram = defineProgram("swiglu_backward", backward, {
  bindings: ["gate_up", "dy", "dgate_up"],
  params: ["rows", "width4"],
});

/** gateUp [rows, 2 width] -> y [rows, width]. */
export function swiglu(
  gpu: GpuContext,
  views: { gateUp: BufferView; y: BufferView },
  shape: { rows: number; width: number },
): void {
  swigluProgram.record(gpu, {
    bindings: { gate_up: views.gateUp, y: views.y },
    params: { rows: shape.rows, width4: shape.width / 4 },
    grid: elementGrid((shape.rows * shape.width) / 4),
  });
}

/** dy [rows, width] -> dgateUp [rows, 2 width]. */
export function swigluBackward(
  gpu: GpuContext,
  views: { gateUp: BufferView; dy: BufferView; dgateUp: BufferView },
  shape: { rows: number; width: number },
): void {
  swigluBackwardProgram.record(gpu, {
    bindings: { gate_up: views.gateUp, dy: views.dy, dgate_up: views.dgateUp },
    params: { rows: shape.rows, width4: shape.width / 4 },
    grid: elementGrid((shape.rows * shape.width) / 4),
  });
}
