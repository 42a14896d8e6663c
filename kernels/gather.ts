/** Row gather and scatter: picks rows out of a matrix, and puts their gradients back. */

import gather from "../shaders/gather_rows.wgsl?raw";
import scatter from "../shaders/scatter_rows.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { defineProgram, elementGrid } from "./program";

const gatherProgram = defineProgram("gather_rows", gather, {
  bindings: ["row_index", "x", "y"],
  params: ["count", "width4"],
});
const scatterProgram = defineProgram("scatter_rows", scatter, {
  bindings: ["row_index", "y", "x"],
  params: ["count", "width4"],
});

/** y[i] = x[rowIndex[i]]. */
export function gatherRows(
  gpu: GpuContext,
  views: { rowIndex: BufferView; x: BufferView; y: BufferView },
  shape: { count: number; width: number },
): void {
  gatherProgram.record(gpu, {
    bindings: { row_index: views.rowIndex, x: views.x, y: views.y },
    params: { count: shape.count, width4: shape.width / 4 },
    grid: elementGrid((shape.count * shape.width) / 4),
  });
}

/** x[rowIndex[i]] = y[i]; the rows must be distinct. */
export function scatterRows(
  gpu: GpuContext,
  views: { rowIndex: BufferView; y: BufferView; x: BufferView },
  shape: { count: number; width: number },
): void {
  scatterProgram.record(gpu, {
    bindings: { row_index: views.rowIndex, y: views.y, x: views.x },
    params: { count: shape.count, width4: shape.width / 4 },
    grid: elementGrid((shape.count * shape.width) / 4),
  });
}
