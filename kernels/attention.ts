/**
 * Causal attention over KV pages with grouped queries, and its backward pass in three parts. A device has variants for
 * many rows of a slot and for single rows, with the same bits, so decode, prefill and training agree.
 */

import forward from "../shaders/attention.wgsl?raw";
import decode from "../shaders/attention_decode.wgsl?raw";
import keyValueGradient from "../shaders/attention_key_value_gradient.wgsl?raw";
import sharedKeyValueGradient from "../shaders/attention_key_value_gradient_subgroup.wgsl?raw";
import queryGradient from "../shaders/attention_query_gradient.wgsl?raw";
import sharedQueryGradient from "../shaders/attention_query_gradient_subgroup.wgsl?raw";
import rowDots from "../shaders/attention_row_dots.wgsl?raw";
import shared from "../shaders/attention_subgroup.wgsl?raw";
import tiled from "../shaders/attention_tiled.wgsl?raw";
import tiledKeyValueGradient from "../shaders/attention_tiled_key_value_gradient.wgsl?raw";
import tiledQueryGradient from "../shaders/attention_tiled_query_gradient.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import type { DeviceProfile } from "../src/gpu/profile";
import type { Grid } from "../src/gpu/recorder";
import { type AttentionTiles, KEY_TILE_ROWS, QUERY_TILE_ROWS, type TileRange } from "./attention_tiles";
import { sharingLanes } from "./lanes";
import { type Constants, defineProgram, elementGrid } from "./program";
import type { HeadShape, PageShape } from "./rope";

/** What the contracts share with shaders/lib/attention_operands.wgsl and attention_upstream.wgsl. */
const PARAMS = ["rows", "heads", "kv_heads", "page_size", "pages_per_slot", "tile_begin", "scale"] as const;
const OPERANDS = ["rows", "slot_pages", "q", "k_pages", "v_pages"] as const;
const UPSTREAM = [...OPERANDS, "row_statistics", "dout"] as const;

const FORWARD = { bindings: [...OPERANDS, "attention_out", "log_sum_exp"], params: PARAMS } as const;
const QUERY_GRADIENT = { bindings: [...UPSTREAM, "dq"], params: PARAMS } as const;
const KEY_VALUE_GRADIENT = { bindings: [...UPSTREAM, "dkv"], params: PARAMS } as const;

/** One lane for each row and head; a subgroup that shares its loads, for software; tiles in workgroup memory. */
const perRow = {
  forward: defineProgram("attention", forward, FORWARD),
  queryGradient: defineProgram("attention_query_gradient", queryGradient, QUERY_GRADIENT),
  keyValueGradient: defineProgram("attention_key_value_gradient", keyValueGradient, KEY_VALUE_GRADIENT),
};
const bySubgroup = {
  forward: defineProgram("attention_subgroup", shared, FORWARD),
  queryGradient: defineProgram("attention_query_gradient_subgroup", sharedQueryGradient, QUERY_GRADIENT),
  keyValueGradient: defineProgram("attention_key_value_gradient_subgroup", sharedKeyValueGradient, KEY_VALUE_GRADIENT),
};
const inTiles = {
  forward: defineProgram("attention_tiled", tiled, FORWARD),
  decode: defineProgram("attention_decode", decode, FORWARD),
  queryGradient: defineProgram("attention_tiled_query_gradient", tiledQueryGradient, QUERY_GRADIENT),
  keyValueGradient: defineProgram("attention_tiled_key_value_gradient", tiledKeyValueGradient, KEY_VALUE_GRADIENT),
};
const rowDotsProgram = defineProgram("attention_row_dots", rowDots, {
  bindings: ["attention_out", "dout", "log_sum_exp", "row_statistics"],
  params: ["count"],
});
/** Keys that the forward pass handles together on software adapters; a page must hold a multiple of it. */
export const KV_TILE = 4;

/** `tiles` are those of the table of rows. */
export type AttentionShape = { rows: number; tiles: AttentionTiles } & HeadShape & PageShape;

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
  const { program, tileBegin, ...variant } = variantsOf(gpu.profile, shape).forward;
  program.record(gpu, {
    bindings: { ...inputBindings(views), attention_out: views.out, log_sum_exp: views.logSumExp },
    params: params(shape, tileBegin),
    ...variant,
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
  rowDotsProgram.record(gpu, {
    bindings: {
      attention_out: views.out,
      dout: views.dout,
      log_sum_exp: views.logSumExp,
      row_statistics: views.rowStatistics,
    },
    params: { count: shape.rows * shape.heads },
    constants: { HEAD_DIM4: shape.headDim / 4 },
    grid: elementGrid(shape.rows * shape.heads),
  });
  const bindings = { ...inputBindings(views), row_statistics: views.rowStatistics, dout: views.dout };
  const { queryGradient, keyValueGradient } = variantsOf(gpu.profile, shape);
  const { program: toQueries, tileBegin: queryTiles, ...queryVariant } = queryGradient;
  toQueries.record(gpu, {
    bindings: { ...bindings, dq: views.dq },
    params: params(shape, queryTiles),
    ...queryVariant,
  });
  const { program: toKeys, tileBegin: keyTiles, ...keyVariant } = keyValueGradient;
  toKeys.record(gpu, { bindings: { ...bindings, dkv: views.dkv }, params: params(shape, keyTiles), ...keyVariant });
}

/** A program, with what its tiles are and how it is dispatched. */
interface Variant<Of> {
  readonly program: Of;
  readonly constants: Constants;
  readonly tileBegin: number;
  readonly grid: Grid;
}

interface Variants {
  readonly forward: Variant<typeof perRow.forward>;
  readonly queryGradient: Variant<typeof perRow.queryGradient>;
  readonly keyValueGradient: Variant<typeof perRow.keyValueGradient>;
}

function variantsOf(profile: DeviceProfile, shape: AttentionShape): Variants {
  if (profile.tiles === "workgroup" && profile.hasSubgroups) return tiledVariants(profile, shape);
  const lanes = sharingLanes(profile);
  // Single rows share nothing that their heads do not.
  return lanes === undefined || shape.tiles.isDecode ? rowVariants(shape) : subgroupVariants(lanes, shape);
}

function rowVariants(shape: AttentionShape): Variants {
  const HEAD_DIM4 = shape.headDim / 4;
  const [queries, keys] = [elementGrid(shape.rows * shape.heads), elementGrid(shape.rows * shape.kvHeads)];
  return {
    forward: { program: perRow.forward, constants: { HEAD_DIM4, KV_TILE }, tileBegin: 0, grid: queries },
    queryGradient: { program: perRow.queryGradient, constants: { HEAD_DIM4 }, tileBegin: 0, grid: queries },
    keyValueGradient: { program: perRow.keyValueGradient, constants: { HEAD_DIM4 }, tileBegin: 0, grid: keys },
  };
}

function subgroupVariants(
  lanes: number,
  { heads, kvHeads, headDim, tiles: { queries, keys } }: AttentionShape,
): Variants {
  const SHARING = heads / kvHeads;
  const HEAD_DIM4 = headDim / 4;
  const constants = { HEAD_DIM4, LANES: lanes, LOADS: Math.ceil(HEAD_DIM4 / lanes), SHARING };
  const grid: Grid = [queries.count, kvHeads, Math.ceil((QUERY_TILE_ROWS * SHARING) / lanes)];
  return {
    forward: {
      program: bySubgroup.forward,
      constants: { ...constants, KV_TILE },
      tileBegin: queries.begin,
      grid,
    },
    queryGradient: { program: bySubgroup.queryGradient, constants, tileBegin: queries.begin, grid },
    keyValueGradient: {
      program: bySubgroup.keyValueGradient,
      constants,
      tileBegin: keys.begin,
      grid: [keys.count, kvHeads, Math.ceil(KEY_TILE_ROWS / lanes)],
    },
  };
}

/** vec4 of a head that one lane of a team may own; more would not leave registers enough for others. */
const MOST_SLICE4 = 4;
/** Query vectors per lane; in the gradients, which hold twice as much of each, query vectors or keys. */
const FORWARD_VECTORS = 2;
const GRADIENT_VECTORS = 1;
/** Keys staged at a time; query vectors in the gradient of keys and values. */
const STAGED_KEYS = 16;
const STAGED_QUERIES = 8;
const DECODE_LANES = 128;
/** What desktop GPUs allow; where less is allowed, several workgroups share a tile. */
const MOST_LANES = 1024;
/** Lanes of a workgroup are a multiple of this, so that no subgroup is cut. */
const SUBGROUP = 32;

function tiledVariants(profile: DeviceProfile, shape: AttentionShape): Variants {
  const { heads, kvHeads, headDim } = shape;
  const { queries, keys, isDecode } = shape.tiles;
  const HEAD_DIM4 = headDim / 4;
  let SLICES = 1;
  while (HEAD_DIM4 / SLICES > MOST_SLICE4 && HEAD_DIM4 % (2 * SLICES) === 0 && 2 * SLICES <= profile.subgroupMinSize)
    SLICES *= 2;
  const SHARING = heads / kvHeads;
  const team = { HEAD_DIM4, SLICES, SLICE4: HEAD_DIM4 / SLICES, SHARING };
  const most = Math.min(MOST_LANES, profile.limits.maxComputeInvocationsPerWorkgroup);
  /** Workgroups of whole subgroups, whose teams own `perLane` of the `vectors` of a tile. */
  const over = (tiles: TileRange, vectors: number, perLane: number) => {
    const wanted = Math.ceil((Math.ceil(vectors / perLane) * SLICES) / SUBGROUP) * SUBGROUP;
    const LANES = Math.min(wanted, most);
    const grid: Grid = [tiles.count, kvHeads, Math.ceil(wanted / LANES)];
    return { constants: { ...team, VECTORS: perLane, LANES }, tileBegin: tiles.begin, grid };
  };
  const forward = over(queries, QUERY_TILE_ROWS * SHARING, FORWARD_VECTORS);
  const toQueries = over(queries, QUERY_TILE_ROWS * SHARING, GRADIENT_VECTORS);
  const toKeys = over(keys, KEY_TILE_ROWS, GRADIENT_VECTORS);
  return {
    forward: isDecode
      ? {
          program: inTiles.decode,
          constants: { ...team, LANES: DECODE_LANES, OWNED: Math.ceil((SHARING * HEAD_DIM4) / DECODE_LANES) },
          tileBegin: queries.begin,
          grid: [queries.count, kvHeads, 1],
        }
      : { ...forward, program: inTiles.forward, constants: { ...forward.constants, KEYS: STAGED_KEYS } },
    queryGradient: {
      ...toQueries,
      program: inTiles.queryGradient,
      constants: { ...toQueries.constants, KEYS: STAGED_KEYS },
    },
    keyValueGradient: {
      ...toKeys,
      program: inTiles.keyValueGradient,
      constants: { ...toKeys.constants, STAGED: STAGED_QUERIES },
    },
  };
}

function inputBindings(views: AttentionInputs) {
  return { rows: views.rows, slot_pages: views.slotPages, q: views.q, k_pages: views.kPages, v_pages: views.vPages };
}

function params(shape: AttentionShape, tileBegin: number) {
  return {
    rows: shape.rows,
    heads: shape.heads,
    kv_heads: shape.kvHeads,
    page_size: shape.pageSize,
    pages_per_slot: shape.pagesPerSlot,
    tile_begin: tileBegin,
    scale: 1 / Math.sqrt(shape.headDim),
  };
}
