/**
 * Rotary position embedding joined with the split of a projection into query, key pages and value pages; and its
 * gradient.
 */

import backward from "../shaders/rope_backward.wgsl?raw";
import forward from "../shaders/rope_write.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { defineProgram, elementGrid } from "./program";

const ropeWriteProgram = defineProgram("rope_write", forward, {
  bindings: ["rows", "slot_pages", "rotations", "qk", "qkv", "q", "k_pages", "v_pages"],
  params: ["rows", "heads", "kv_heads", "half_dim", "page_size", "pages_per_slot"],
});
const ropeBackwardProgram = defineProgram("rope_backward", backward, {
  bindings: ["rows", "rotations", "dq", "dkv", "dqkv"],
  params: ["rows", "heads", "kv_heads", "half_dim"],
});

/** Heads of one attention layer. */
export interface HeadShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Pages of a slot: its position p is in page slot_pages[slot * pagesPerSlot + p / pageSize]. */
export interface PageShape {
  readonly pageSize: number;
  readonly pagesPerSlot: number;
}

/**
 * qkv [rows, heads + 2 kvHeads, headDim] -> q [rows, heads, headDim] and the rows' places in the KV pages. `qk` is
 * `qkv` unless query and key were normalised.
 */
export function ropeWrite(
  gpu: GpuContext,
  views: {
    rows: BufferView;
    slotPages: BufferView;
    rotations: BufferView;
    qk: BufferView;
    qkv: BufferView;
    q: BufferView;
    kPages: BufferView;
    vPages: BufferView;
  },
  shape: { rows: number } & HeadShape & PageShape,
): void {
  ropeWriteProgram.record(gpu, {
    bindings: {
      rows: views.rows,
      slot_pages: views.slotPages,
      rotations: views.rotations,
      qk: views.qk,
      qkv: views.qkv,
      q: views.q,
      k_pages: views.kPages,
      v_pages: views.vPages,
    },
    params: {
      rows: shape.rows,
      heads: shape.heads,
      kv_heads: shape.kvHeads,
      half_dim: shape.headDim / 2,
      page_size: shape.pageSize,
      pages_per_slot: shape.pagesPerSlot,
    },
    grid: elementGrid((shape.rows * (shape.heads + 2 * shape.kvHeads) * shape.headDim) / 2),
  });
}

/** Gradients of q, k, v per row -> gradient of the projection. */
export function ropeBackward(
  gpu: GpuContext,
  views: { rows: BufferView; rotations: BufferView; dq: BufferView; dkv: BufferView; dqkv: BufferView },
  shape: { rows: number } & HeadShape,
): void {
  ropeBackwardProgram.record(gpu, {
    bindings: views,
    params: { rows: shape.rows, heads: shape.heads, kv_heads: shape.kvHeads, half_dim: shape.headDim / 2 },
    grid: elementGrid((shape.rows * (shape.heads + 2 * shape.kvHeads) * shape.headDim) / 2),
  });
}
