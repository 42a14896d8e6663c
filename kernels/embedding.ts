/** Token embedding: gather of table rows, and its gradient by rows grouped on the host. */

import forward from "../shaders/embedding.wgsl?raw";
import backward from "../shaders/embedding_gradient.wgsl?raw";
import { must } from "../src/base/must";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { defineByStorage, defineProgram, elementGrid } from "./program";
import type { WeightStorage } from "./weight_storage";

const embeddingPrograms = defineByStorage("embedding", forward, {
  bindings: ["rows", "weight", "slot_tokens", "x"],
  params: ["rows", "width4", "slot_length", "shard_begin", "shard_rows"],
});
const embeddingGradientProgram = defineProgram("embedding_gradient", backward, {
  bindings: ["group_tokens", "group_starts", "grouped_rows", "dx", "dtable"],
  params: ["first", "tokens", "width4", "shard_begin"],
});

/**
 * x[row] = table[token of row]. `width` in elements, a multiple of 4; the table is f32 unless `storage` says otherwise.
 */
export function embedding(
  gpu: GpuContext,
  views: { rows: BufferView; slotTokens: BufferView; table: BufferView; x: BufferView },
  shape: {
    rows: number;
    width: number;
    slotLength: number;
    shardBegin: number;
    shardRows: number;
    storage?: WeightStorage;
  },
): void {
  embeddingPrograms[shape.storage ?? "f32"].record(gpu, {
    bindings: { rows: views.rows, weight: views.table, slot_tokens: views.slotTokens, x: views.x },
    params: {
      rows: shape.rows,
      width4: shape.width / 4,
      slot_length: shape.slotLength,
      shard_begin: shape.shardBegin,
      shard_rows: shape.shardRows,
    },
    grid: elementGrid((shape.rows * shape.width) / 4),
  });
}

/**
 * dtable[token] += sum of dx over the token's rows, for groups `first .. first + tokens` of the three lists of
 * {@link groupRowsByToken}.
 */
export function embeddingGradient(
  gpu: GpuContext,
  views: {
    groupTokens: BufferView;
    groupStarts: BufferView;
    groupedRows: BufferView;
    dx: BufferView;
    dtable: BufferView;
  },
  shape: { first: number; tokens: number; width: number; shardBegin: number },
): void {
  embeddingGradientProgram.record(gpu, {
    bindings: {
      group_tokens: views.groupTokens,
      group_starts: views.groupStarts,
      grouped_rows: views.groupedRows,
      dx: views.dx,
      dtable: views.dtable,
    },
    params: { first: shape.first, tokens: shape.tokens, width4: shape.width / 4, shard_begin: shape.shardBegin },
    grid: elementGrid((shape.tokens * shape.width) / 4),
  });
}

/**
 * Distinct tokens in ascending order, where each one's rows start, and the rows, ascending within a token. `starts` has
 * one entry more than `tokens`.
 */
export function groupRowsByToken(tokens: ArrayLike<number>): {
  tokens: Uint32Array;
  starts: Uint32Array;
  rows: Uint32Array;
} {
  const tokenOf = (row: number) => must(tokens[row], "the token of a row");
  const rows = Uint32Array.from({ length: tokens.length }, (_, row) => row);
  rows.sort((a, b) => tokenOf(a) - tokenOf(b) || a - b);
  const distinct: number[] = [];
  const starts: number[] = [];
  rows.forEach((row, at) => {
    const token = tokenOf(row);
    if (distinct.at(-1) !== token) {
      distinct.push(token);
      starts.push(at);
    }
  });
  return { tokens: Uint32Array.from(distinct), starts: Uint32Array.from([...starts, rows.length]), rows };
}
