/** Cases of the token embedding and its gradient, whole and in shards. */
import { at } from "../src/base/must";
import { defineCase, defineGradient, type KernelCase, type Op, words } from "./cases/case";
import { Random } from "./cases/inputs";
import { rowCount, rowsOf, rowTable, type Span, slotCount, spanLabel, wholeSequences } from "./cases/rows";
import { embedding, embeddingGradient, groupRowsByToken } from "./embedding";
import { embeddingGradientReference, embeddingReference } from "./embedding.reference";
import { Tensor } from "./tensor";
import { decodeWeights, encodeWeights, type WeightStorage, weightStorages } from "./weight_storage";

/** Sums of a few dozen terms. */
const TOLERANCE = 1e-6;

interface Shape {
  readonly spans: readonly Span[];
  readonly slotLength: number;
  readonly vocabulary: number;
  readonly width: number;
  readonly storage?: WeightStorage;
  /** First and last + 1 of the table's rows in this shard. */
  readonly shard?: readonly [number, number];
}

const shardOf = (shape: Shape) => shape.shard ?? [0, shape.vocabulary];

function label({ spans, vocabulary, width, shard, storage }: Shape): string {
  const stored = storage ? ` ${storage}` : "";
  const part = shard ? `, shard ${shard[0]}..${shard[1]}` : "";
  return `${spanLabel(spans)} rows, ${vocabulary} x ${width}${stored}${part}`;
}

/** Tokens of the positions that have rows; 2^32 - 1, which no table holds, elsewhere. */
function slotTokens(shape: Shape): Uint32Array {
  const random = new Random(label(shape));
  const tokens = new Uint32Array(slotCount(shape.spans) * shape.slotLength).fill(0xffffffff);
  for (const { slot, position } of rowsOf(shape.spans))
    tokens[slot * shape.slotLength + position] = random.below(shape.vocabulary);
  return tokens;
}

function rowTokens(shape: Shape): number[] {
  const tokens = slotTokens(shape);
  return rowsOf(shape.spans).map(({ slot, position }) => at(tokens, slot * shape.slotLength + position));
}

export function embeddingCase(shape: Shape): KernelCase {
  const { spans, vocabulary, width, storage = "f32" } = shape;
  const [begin, end] = shardOf(shape);
  const count = rowCount(spans);
  return defineCase({
    name: `embedding ${label(shape)}`,
    tolerance: 0,
    flops: 0,
    bytes: words(2 * count * width, 5 * count),
    inputs: (random) => ({
      rows: rowTable(spans),
      slotTokens: slotTokens(shape),
      table: encodeWeights(storage, random.normals((end - begin) * width)),
    }),
    outputs: { x: count * width },
    run(gpu, views) {
      const { slotLength } = shape;
      embedding(gpu, views, { rows: count, width, slotLength, shardBegin: begin, shardRows: end - begin, storage });
    },
    expected(inputs) {
      // Rows of other shards read NaN here, and NaN means "left as it was".
      const table = Tensor.untouched([vocabulary, width]);
      table.data.set(decodeWeights(storage, inputs.table, (end - begin) * width), begin * width);
      return { x: embeddingReference(table, rowTokens(shape)) };
    },
  });
}

export function embeddingGradientCase(shape: Shape): KernelCase {
  const { vocabulary, width } = shape;
  const [begin, end] = shardOf(shape);
  const tokens = rowTokens(shape);
  const groups = groupRowsByToken(tokens);
  const first = groups.tokens.filter((token) => token < begin).length;
  const after = groups.tokens.filter((token) => token < end).length;
  const count = tokens.length;
  return defineCase({
    name: `embedding_gradient ${label(shape)}`,
    tolerance: TOLERANCE,
    flops: count * width,
    bytes: words(2 * count * width, count),
    inputs: (random) => ({
      groupTokens: groups.tokens,
      groupStarts: groups.starts,
      groupedRows: groups.rows,
      dx: random.normals(count * width),
      dtable: random.normals((end - begin) * width),
    }),
    outputs: { dtable: (end - begin) * width },
    run(gpu, views) {
      embeddingGradient(gpu, views, { first, tokens: after - first, width, shardBegin: begin });
    },
    expected(inputs) {
      const whole = embeddingGradientReference(new Tensor([count, width], inputs.dx), tokens, vocabulary);
      const dtable = new Tensor([end - begin, width], whole.data.subarray(begin * width, end * width));
      return { dtable: dtable.addAll(inputs.dtable) };
    },
  });
}

const SHAPES: readonly Shape[] = [
  { spans: wholeSequences(9, 1, 14), slotLength: 16, vocabulary: 7, width: 12 },
  { spans: [{ slot: 1, from: 3, to: 4 }], slotLength: 5, vocabulary: 37, width: 4 },
  { spans: [], slotLength: 4, vocabulary: 3, width: 4 },
  { spans: wholeSequences(9, 12), slotLength: 12, vocabulary: 10, width: 8, shard: [4, 7] },
];

const NANO: Shape = {
  spans: wholeSequences(...Array<number>(16).fill(64)),
  slotLength: 64,
  vocabulary: 512,
  width: 96,
};

export const embeddingOp: Op = {
  name: "embedding",
  cases: [
    ...SHAPES.map(embeddingCase),
    ...weightStorages
      .filter((storage) => storage !== "f32")
      .flatMap((storage) => SHAPES.map((shape) => embeddingCase({ ...shape, storage }))),
    ...SHAPES.map(embeddingGradientCase),
  ],
  timed: [embeddingCase(NANO), embeddingGradientCase(NANO)],
  gradients: [
    defineGradient({
      name: "embedding",
      inputs: (random) => ({ table: new Tensor([5, 3], random.normals(15)) }),
      forward: ({ table }) => embeddingReference(table, [4, 0, 4, 1]),
      backward: (_, upstream) => ({ table: embeddingGradientReference(upstream, [4, 0, 4, 1], 5) }),
    }),
  ],
};
