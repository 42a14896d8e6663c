/** Rounding of weights to 16 bits: from their f32 master to what the model reads. */
import text from "../shaders/store_halves.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { defineProgram, elementGrid } from "./program";

const program = defineProgram("store_halves", text, { bindings: ["value", "out"], params: ["count4"] });

/** Stores `count` values, a multiple of 4, as `storage`. The bits are those of `encodeWeights`. */
export function storeHalves(
  gpu: GpuContext,
  views: { value: BufferView; out: BufferView },
  shape: { count: number; storage: "f16" | "bf16" },
): void {
  program.record(gpu, {
    bindings: views,
    params: { count4: shape.count / 4 },
    constants: { BFLOAT: shape.storage === "bf16" },
    grid: elementGrid(shape.count / 4),
  });
}
