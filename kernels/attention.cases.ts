/** Cases of attention over KV pages and of its gradients. */
import { must } from "../src/base/must";
import { type AttentionShape, attention, attentionBackward } from "./attention";
import { attentionBackwardReference, attentionReference, type Cache } from "./attention.reference";
import { withTiles } from "./attention_tiles";
import { defineCase, defineGradient, type KernelCase, type Op, words } from "./cases/case";
import { poisoned, type Random } from "./cases/inputs";
import {
  pageTable,
  poolIndex,
  poolPages,
  type Row,
  rowCount,
  rowsOf,
  rowTable,
  type Span,
  slotCount,
  spanLabel,
  wholeSequences,
} from "./cases/rows";
import { joinHeads, Tensor } from "./tensor";

/**
 * exp of scores, each a sum of head_dim products, leads; weights add up to 1, so errors do not grow with the length.
 */
const TOLERANCE = 2e-6;
/** Gradients subtract dout . out from dout . v, which cancels. */
const GRADIENT_TOLERANCE = 5e-6;

export interface AttentionCaseShape extends Omit<AttentionShape, "rows" | "tiles"> {
  readonly spans: readonly Span[];
}

function label({ spans, heads, kvHeads, headDim, pageSize }: AttentionCaseShape): string {
  return `${spanLabel(spans)} rows, ${heads}/${kvHeads} heads x ${headDim}, pages of ${pageSize}`;
}

/** Keys that the rows see, all together. */
const pairs = (shape: AttentionCaseShape) =>
  rowsOf(shape.spans).reduce((total, { position }) => total + position + 1, 0);

/** A page table and pools that hold normal numbers at the positions 0 ... last of each slot and NaN everywhere else. */
function caches(random: Random, shape: AttentionCaseShape) {
  const { spans, kvHeads, headDim } = shape;
  const slotPages = pageTable(random, spans, shape);
  const elements = poolPages(spans, shape) * kvHeads * shape.pageSize * headDim;
  const [kPages, vPages] = [poisoned(elements), poisoned(elements)];
  for (let slot = 0; slot < slotCount(spans); slot++) {
    const length = Math.max(0, ...spans.filter((span) => span.slot === slot).map(({ to }) => to));
    for (let position = 0; position < length; position++)
      for (let head = 0; head < kvHeads; head++) {
        const at = poolIndex(slotPages, shape, slot, position, head);
        kPages.set(random.normals(headDim), at);
        vPages.set(random.normals(headDim), at);
      }
  }
  return { slotPages, kPages, vPages };
}

function cacheOf(inputs: ReturnType<typeof caches>, shape: AttentionCaseShape): Cache {
  const at = (pages: Float32Array) => (slot: number, position: number, kvHead: number, c: number) =>
    must(pages[poolIndex(inputs.slotPages, shape, slot, position, kvHead) + c], "an element of the pool");
  return { kvHeads: shape.kvHeads, key: at(inputs.kPages), value: at(inputs.vPages) };
}

export function attentionCase(shape: AttentionCaseShape): KernelCase {
  const { spans, heads, kvHeads, headDim } = shape;
  const count = rowCount(spans);
  const { table, tiles } = withTiles(rowTable(spans));
  return defineCase({
    name: `attention ${label(shape)}`,
    tolerance: TOLERANCE,
    flops: 4 * pairs(shape) * heads * headDim,
    bytes: words(2 * count * heads * headDim, 2 * kvHeads * headDim * slotKeys(spans), 5 * count),
    inputs: (random) => ({
      rows: table,
      ...caches(random, shape),
      q: random.normals(count * heads * headDim),
    }),
    outputs: { out: count * heads * headDim, logSumExp: count * heads },
    run(gpu, views) {
      attention(gpu, views, { rows: count, tiles, ...shape });
    },
    expected(inputs) {
      const q = new Tensor([count, heads, headDim], inputs.q);
      return attentionReference(q, cacheOf(inputs, shape), rowsOf(spans));
    },
  });
}

/** Keys that exist in all slots together. */
function slotKeys(spans: readonly Span[]): number {
  const lengths = new Map<number, number>();
  for (const { slot, to } of spans) lengths.set(slot, Math.max(to, lengths.get(slot) ?? 0));
  return [...lengths.values()].reduce((total, length) => total + length, 0);
}

export function attentionBackwardCase(shape: AttentionCaseShape): KernelCase {
  const { spans, heads, kvHeads, headDim } = shape;
  const count = rowCount(spans);
  const [queries, keys] = [count * heads * headDim, count * kvHeads * headDim];
  const { table, tiles } = withTiles(rowTable(spans));
  return defineCase({
    name: `attention_backward ${label(shape)}`,
    tolerance: GRADIENT_TOLERANCE,
    flops: 14 * pairs(shape) * heads * headDim,
    bytes: words(4 * queries, 4 * keys, 5 * count),
    inputs(random) {
      const pools = caches(random, shape);
      const q = random.normals(queries);
      const forward = attentionReference(new Tensor([count, heads, headDim], q), cacheOf(pools, shape), rowsOf(spans));
      return {
        rows: table,
        ...pools,
        q,
        out: Float32Array.from(forward.out.data),
        logSumExp: Float32Array.from(forward.logSumExp.data),
        dout: random.normals(queries),
      };
    },
    outputs: { rowStatistics: 2 * count * heads, dq: queries, dkv: 2 * keys },
    run(gpu, views) {
      attentionBackward(gpu, views, { rows: count, tiles, ...shape });
    },
    expected(inputs) {
      const query = new Tensor([count, heads, headDim], inputs.q);
      const upstream = new Tensor([count, heads, headDim], inputs.dout);
      const { dq, dk, dv } = attentionBackwardReference(query, cacheOf(inputs, shape), rowsOf(spans), upstream);
      return { dq, dkv: joinHeads([dk, dv]) };
    },
  });
}

const decode = (...positions: readonly number[]): Span[] =>
  positions.map((position, slot) => ({ slot, from: position, to: position + 1 }));

/**
 * Query heads that share a key head: 1, 2 and 4; pages of 4, 8 and 16; ragged whole sequences; decode batches; both in
 * one batch; one row; no row.
 */
const WHOLE: readonly AttentionCaseShape[] = [
  { spans: wholeSequences(5, 1, 13), heads: 2, kvHeads: 2, headDim: 8, pageSize: 4, pagesPerSlot: 4 },
  { spans: wholeSequences(9, 8, 3), heads: 4, kvHeads: 2, headDim: 8, pageSize: 8, pagesPerSlot: 3 },
  { spans: wholeSequences(17, 2, 33), heads: 4, kvHeads: 1, headDim: 8, pageSize: 16, pagesPerSlot: 3 },
  { spans: wholeSequences(1), heads: 1, kvHeads: 1, headDim: 8, pageSize: 4, pagesPerSlot: 1 },
  { spans: [], heads: 2, kvHeads: 1, headDim: 8, pageSize: 4, pagesPerSlot: 1 },
  { spans: wholeSequences(21, 6), heads: 4, kvHeads: 2, headDim: 24, pageSize: 16, pagesPerSlot: 2 },
  { spans: wholeSequences(270), heads: 2, kvHeads: 1, headDim: 8, pageSize: 8, pagesPerSlot: 34 },
];

const PARTS: readonly AttentionCaseShape[] = [
  { spans: decode(0, 3, 4, 14), heads: 4, kvHeads: 2, headDim: 8, pageSize: 4, pagesPerSlot: 4 },
  {
    spans: [{ slot: 3, from: 6, to: 11 }, ...decode(2, 7), { slot: 2, from: 0, to: 9 }],
    heads: 4,
    kvHeads: 1,
    headDim: 8,
    pageSize: 8,
    pagesPerSlot: 2,
  },
  { spans: decode(0, 255, 256, 300), heads: 7, kvHeads: 1, headDim: 8, pageSize: 8, pagesPerSlot: 38 },
];

const nano = (spans: readonly Span[]): AttentionCaseShape => ({
  spans,
  heads: 4,
  kvHeads: 2,
  headDim: 24,
  pageSize: 16,
  pagesPerSlot: 8,
});

/** Keys and values as [positions, kvHeads, headDim] of slot 0. */
function plainCache(keys: Tensor, values: Tensor): Cache {
  return {
    kvHeads: keys.size(1),
    key: (_, position, head, c) => keys.at(position, head, c),
    value: (_, position, head, c) => values.at(position, head, c),
  };
}

const CHECKED_ROWS: readonly Row[] = rowsOf(wholeSequences(4));

export const attentionOp: Op = {
  name: "attention",
  cases: [...[...WHOLE, ...PARTS].map(attentionCase), ...WHOLE.map(attentionBackwardCase)],
  timed: [
    attentionCase(nano(wholeSequences(...Array<number>(8).fill(128)))),
    attentionBackwardCase(nano(wholeSequences(...Array<number>(8).fill(128)))),
    attentionCase(nano(decode(...Array<number>(128).fill(100)))),
  ],
  gradients: [
    defineGradient({
      name: "attention",
      inputs: (random) => ({
        q: new Tensor([4, 4, 3], random.normals(48)),
        keys: new Tensor([4, 2, 3], random.normals(24)),
        values: new Tensor([4, 2, 3], random.normals(24)),
      }),
      forward: ({ q, keys, values }) => attentionReference(q, plainCache(keys, values), CHECKED_ROWS).out,
      backward({ q, keys, values }, upstream) {
        const { dq, dk, dv } = attentionBackwardReference(q, plainCache(keys, values), CHECKED_ROWS, upstream);
        return { q: dq, keys: dk, values: dv };
      },
    }),
  ],
};
