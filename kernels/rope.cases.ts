/** Cases of the rotary embedding with its writes to KV pages, and of its gradient. */
import { defineCase, defineGradient, type KernelCase, type Op, words } from "./cases/case";
import { poisoned, type Random } from "./cases/inputs";
import {
  pageTable,
  poolIndex,
  poolPages,
  rowCount,
  rowsOf,
  rowTable,
  type Span,
  spanLabel,
  wholeSequences,
} from "./cases/rows";
import { type HeadShape, type PageShape, ropeBackward, ropeWrite } from "./rope";
import { rotateReference, rotationsReference } from "./rope.reference";
import { joinHeads, pickHeads, Tensor } from "./tensor";

/** Two products and a sum per element. */
const TOLERANCE = 5e-7;

export interface RopeShape extends HeadShape, PageShape {
  readonly spans: readonly Span[];
}

function label({ spans, heads, kvHeads, headDim, pageSize }: RopeShape): string {
  return `${spanLabel(spans)} rows, ${heads}/${kvHeads} heads x ${headDim}, pages of ${pageSize}`;
}

/** Angles in f32, for every position that the shape's slots may have. */
function rotations(shape: RopeShape): Float32Array {
  return Float32Array.from(rotationsReference(shape.pageSize * shape.pagesPerSlot, shape.headDim, 10000).data);
}

const turns = (values: Float32Array, shape: RopeShape) =>
  new Tensor([shape.pageSize * shape.pagesPerSlot, shape.headDim / 2, 2], values);

export function ropeWriteCase(shape: RopeShape, options: { normalised?: boolean } = {}): KernelCase {
  const { spans, heads, kvHeads, headDim } = shape;
  const count = rowCount(spans);
  const allHeads = heads + 2 * kvHeads;
  const poolElements = poolPages(spans, shape) * kvHeads * shape.pageSize * headDim;
  return defineCase({
    name: `rope_write ${label(shape)}${options.normalised ? ", query and key apart" : ""}`,
    tolerance: TOLERANCE,
    flops: 3 * count * (heads + kvHeads) * headDim,
    bytes: words(2 * count * allHeads * headDim, count * headDim, 4 * count),
    inputs(random) {
      const qkv = random.normals(count * allHeads * headDim);
      const qk = qkv.slice();
      // Where query and key come from a buffer of their own, neither buffer may be read in place of the other.
      if (options.normalised)
        for (let row = 0; row < count; row++) {
          const at = row * allHeads * headDim;
          qkv.fill(Number.NaN, at, at + (heads + kvHeads) * headDim);
          qk.fill(Number.NaN, at + (heads + kvHeads) * headDim, at + allHeads * headDim);
        }
      return {
        rows: rowTable(spans),
        slotPages: pageTable(random, spans, shape),
        rotations: rotations(shape),
        qk: options.normalised ? qk : poisoned(4),
        qkv,
      };
    },
    outputs: { q: count * heads * headDim, kPages: poolElements, vPages: poolElements },
    run(gpu, views) {
      ropeWrite(gpu, { ...views, qk: options.normalised ? views.qk : views.qkv }, { rows: count, ...shape });
    },
    expected(inputs) {
      const values = new Tensor([count, allHeads, headDim], inputs.qkv);
      const queryKey = options.normalised ? new Tensor([count, allHeads, headDim], inputs.qk) : values;
      const positions = rowsOf(spans).map(({ position }) => position);
      const angles = turns(inputs.rotations, shape);
      const k = rotateReference(pickHeads(queryKey, heads, kvHeads), positions, angles, 1);
      const v = pickHeads(values, heads + kvHeads, kvHeads);
      const inPages = (x: Tensor) => {
        const pages = Tensor.untouched([poolElements]);
        rowsOf(spans).forEach(({ slot, position }, row) => {
          for (let head = 0; head < kvHeads; head++)
            for (let c = 0; c < headDim; c++)
              pages.set(x.at(row, head, c), poolIndex(inputs.slotPages, shape, slot, position, head) + c);
        });
        return pages;
      };
      return {
        q: rotateReference(pickHeads(queryKey, 0, heads), positions, angles, 1),
        kPages: inPages(k),
        vPages: inPages(v),
      };
    },
  });
}

export function ropeBackwardCase(shape: RopeShape): KernelCase {
  const { spans, heads, kvHeads, headDim } = shape;
  const count = rowCount(spans);
  const allHeads = heads + 2 * kvHeads;
  return defineCase({
    name: `rope_backward ${label(shape)}`,
    tolerance: TOLERANCE,
    flops: 3 * count * (heads + kvHeads) * headDim,
    bytes: words(2 * count * allHeads * headDim, count * headDim, 4 * count),
    inputs: (random: Random) => ({
      rows: rowTable(spans),
      rotations: rotations(shape),
      dq: random.normals(count * heads * headDim),
      dkv: random.normals(2 * count * kvHeads * headDim),
    }),
    outputs: { dqkv: count * allHeads * headDim },
    run(gpu, views) {
      ropeBackward(gpu, views, { rows: count, ...shape });
    },
    expected(inputs) {
      const positions = rowsOf(spans).map(({ position }) => position);
      const angles = turns(inputs.rotations, shape);
      const dq = new Tensor([count, heads, headDim], inputs.dq);
      const dkv = new Tensor([count, 2 * kvHeads, headDim], inputs.dkv);
      const back = (part: Tensor) => rotateReference(part, positions, angles, -1);
      const dk = pickHeads(dkv, 0, kvHeads);
      const dqkv = joinHeads([back(dq), back(dk), pickHeads(dkv, kvHeads, kvHeads)]);
      return { dqkv };
    },
  });
}

const SHAPES: readonly RopeShape[] = [
  { spans: wholeSequences(5, 1, 9), heads: 4, kvHeads: 2, headDim: 8, pageSize: 4, pagesPerSlot: 3 },
  {
    spans: [
      { slot: 2, from: 6, to: 7 },
      { slot: 0, from: 3, to: 12 },
    ],
    heads: 3,
    kvHeads: 3,
    headDim: 24,
    pageSize: 8,
    pagesPerSlot: 2,
  },
  { spans: [], heads: 2, kvHeads: 1, headDim: 4, pageSize: 4, pagesPerSlot: 1 },
  { spans: wholeSequences(1), heads: 1, kvHeads: 1, headDim: 4, pageSize: 16, pagesPerSlot: 1 },
];

const NANO: RopeShape = {
  spans: wholeSequences(...Array<number>(16).fill(64)),
  heads: 4,
  kvHeads: 2,
  headDim: 24,
  pageSize: 16,
  pagesPerSlot: 4,
};

export const ropeOp: Op = {
  name: "rope",
  cases: [
    ...SHAPES.flatMap((shape) => [ropeWriteCase(shape), ropeBackwardCase(shape)]),
    ropeWriteCase(
      { spans: wholeSequences(5, 2), heads: 4, kvHeads: 1, headDim: 8, pageSize: 4, pagesPerSlot: 2 },
      { normalised: true },
    ),
  ],
  timed: [ropeWriteCase(NANO), ropeBackwardCase(NANO)],
  gradients: [
    defineGradient({
      name: "rope",
      inputs: (random) => ({ x: new Tensor([3, 2, 6], random.normals(36)) }),
      forward: ({ x }) => rotateReference(x, [0, 3, 7], rotationsReference(8, 6, 100), 1),
      backward: (_, upstream) => ({ x: rotateReference(upstream, [0, 3, 7], rotationsReference(8, 6, 100), -1) }),
    }),
  ],
};
