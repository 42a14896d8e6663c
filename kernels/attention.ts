/**
 * Causal attention over KV pages with grouped queries: one forward pipeline for decode, prefill and training, and a
 * backward pass in three parts.
 */

import forward from "../shaders/attention.wgsl?raw";
import keyValueGradient from "../shaders/attention_key_value_gradient.wgsl?raw";
import queryGradient from "../shaders/attention_query_gradient.wgsl?raw";
import rowDots from "../shaders/attention_row_dots.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { defineProgram, elementGrid } from "./program";
import type { HeadShape, PageShape } from "./rope";

/** What the contracts share with shaders/lib/attention_operands.wgsl and attention_upstream.wgsl. */
const PARAMS = ["rows", "heads", "kv_heads", "page_size", "pages_per_slot", "scale"] as const;
const OPERANDS = ["rows", "slot_pages", "q", "k_pages", "v_pages"] as const;
const UPSTREAM = [...OPERANDS, "row_statistics", "dout"] as const;

const attentionProgram = defineProgram("attention", forward, {
  bindings: [...OPERANDS, "attention_out", "log_sum_exp"],
  params: PARAMS,
});
const rowDotsProgram = defineProgram("attention_row_dots", rowDots, {
  bindings: ["attention_out", "dout", "log_sum_exp", "row_statistics"],
  params: ["count"],
});
const queryGradientProgram = defineProgram("attention_query_gradient", queryGradient, {
  bindings: [...UPSTREAM, "dq"],
  params: PARAMS,
});
const keyValueGradientProgram = defineProgram("attention_key_value_gradient", keyValueGradient, {
  bindings: [...UPSTREAM, "dkv"],
  params: PARAMS,
});

/** Keys that the forward pass handles together; a page must hold a multiple of it. */
export const KV_TILE = 4;

export type AttentionShape = { rows: number } & HeadShape & PageShape;

interface AttentionInputs {
  rows: BufferView;
  slotPages: BufferView;
  q: BufferView;
  kPages: BufferView;
  vPages: BufferView;
}

/**
 * out [rows, heads, headDim] and log_sum_exp [rows, heads] of each row over its own slot's keys up to its own position.
 */
export function attention(
  gpu: GpuContext,
  views: AttentionInputs & { out: BufferView; logSumExp: BufferView },
  shape: AttentionShape,
): void {
  attentionProgram.record(gpu, {
    bindings: { ...inputBindings(views), attention_out: views.out, log_sum_exp: views.logSumExp },
    params: params(shape),
    constants: { HEAD_DIM4: shape.headDim / 4, KV_TILE },
    grid: elementGrid(shape.rows * shape.heads),
  });
}

/**
 * Gradients of {@link attention}: dq [rows, heads, headDim], dkv [rows, 2 kvHeads, headDim] (key heads, then value
 * heads). Needs whole sequences: every sequence starts at position 0 and its rows stand together in ascending order.
 * `rowStatistics` [rows, heads, 2] is workspace.
 */
export function attentionBackward(
  gpu: GpuContext,
  views: AttentionInputs & {
    out: BufferView;
    logSumExp: BufferView;
    dout: BufferView;
    rowStatistics: BufferView;
    dq: BufferView;
    dkv: BufferView;
  },
  shape: AttentionShape,
): void {
  const constants = { HEAD_DIM4: shape.headDim / 4 };
  rowDotsProgram.record(gpu, {
    bindings: {
      attention_out: views.out,
      dout: views.dout,
      log_sum_exp: views.logSumExp,
      row_statistics: views.rowStatistics,
    },
    params: { count: shape.rows * shape.heads },
    constants,
    grid: elementGrid(shape.rows * shape.heads),
  });
  const shared = { ...inputBindings(views), row_statistics: views.rowStatistics, dout: views.dout };
  queryGradientProgram.record(gpu, {
    bindings: { ...shared, dq: views.dq },
    params: params(shape),
    constants,
    grid: elementGrid(shape.rows * shape.heads),
  });
  keyValueGradientProgram.record(gpu, {
    bindings: { ...shared, dkv: views.dkv },
    params: params(shape),
    constants,
    grid: elementGrid(shape.rows * shape.kvHeads),
  });
}

function inputBindings(views: AttentionInputs) {
  return { rows: views.rows, slot_pages: views.slotPages, q: views.q, k_pages: views.kPages, v_pages: views.vPages };
}

function params(shape: AttentionShape) {
  return {
    rows: shape.rows,
    heads: shape.heads,
    kv_heads: shape.kvHeads,
    page_size: shape.pageSize,
    pages_per_slot: shape.pagesPerSlot,
    scale: 1 / Math.sqrt(shape.headDim),
  };
}
