/** Cases of the gated linear layer: against the linear layer and SwiGLU one after the other. */
import { defineCase, type KernelCase, type Op, words } from "./cases/case";
import { linearInputGradientReference, linearReference } from "./linear.reference";
import { type GatedShape, linearGated, linearGatedInputGradient } from "./linear_gated";
import { swigluBackwardReference, swigluReference } from "./swiglu.reference";
import { Tensor } from "./tensor";
import { decodeWeights, encodeWeights, storageBytes, weightStorages } from "./weight_storage";

/** Those of the two: chains of fused multiply-adds, and exp of what they give. */
const TOLERANCE = 4e-6;

const label = ({ rows, width, inner, storage }: GatedShape) =>
  `${rows} x ${inner} -> 2 x ${width}${storage === "f32" ? "" : `, ${storage} weight`}`;

export function gatedCase(shape: GatedShape): KernelCase {
  const { rows, width, inner, storage } = shape;
  const weights = 2 * width * inner;
  return defineCase({
    name: `linear_gated ${label(shape)}`,
    tolerance: TOLERANCE,
    flops: 2 * rows * weights + 5 * rows * width,
    bytes: words(rows * inner, 3 * rows * width) + storageBytes(storage, weights),
    inputs: (random) => ({
      x: random.normals(rows * inner),
      weight: encodeWeights(storage, random.normals(weights)),
    }),
    outputs: { gateUp: rows * 2 * width, activated: rows * width },
    run(gpu, views) {
      linearGated(gpu, views, shape);
    },
    expected({ x, weight }) {
      const matrix = new Tensor([2 * width, inner], decodeWeights(storage, weight, weights));
      const product = linearReference(new Tensor([rows, inner], x), matrix);
      return { gateUp: product, activated: swigluReference(new Tensor([rows, 2, width], product.data)) };
    },
  });
}

/** The gradient of a layer [outer, width] behind it. */
function gatedInputGradientCase(shape: GatedShape): KernelCase {
  const { rows, width, inner: outer, storage } = shape;
  return defineCase({
    name: `linear_gated input gradient ${rows} x ${outer} -> 2 x ${width}${storage === "f32" ? "" : `, ${storage} weight`}`,
    tolerance: TOLERANCE,
    flops: 2 * rows * outer * width + 10 * rows * width,
    bytes: words(rows * outer, 4 * rows * width) + storageBytes(storage, outer * width),
    inputs: (random) => ({
      dy: random.normals(rows * outer),
      weight: encodeWeights(storage, random.normals(outer * width)),
      gateUp: random.normals(rows * 2 * width, 3),
    }),
    outputs: { dgateUp: rows * 2 * width, dactivated: rows * width },
    run(gpu, views) {
      linearGatedInputGradient(gpu, views, { rows, outer, width, storage });
    },
    expected({ dy, weight, gateUp }) {
      const matrix = new Tensor([outer, width], decodeWeights(storage, weight, outer * width));
      const dactivated = linearInputGradientReference(new Tensor([rows, outer], dy), matrix);
      return { dgateUp: swigluBackwardReference(new Tensor([rows, 2, width], gateUp), dactivated) };
    },
  });
}

/** Ragged in every direction, more than a tile of either kind, several blocks of the sum, one row, no row. */
const SHAPES: readonly GatedShape[] = [
  { rows: 5, width: 20, inner: 12, storage: "f32" },
  { rows: 67, width: 36, inner: 40, storage: "f32" },
  { rows: 3, width: 4, inner: 788, storage: "f32" },
  { rows: 1, width: 4, inner: 4, storage: "f32" },
  { rows: 0, width: 4, inner: 4, storage: "f32" },
  ...weightStorages.slice(1).map((storage) => ({ rows: 7, width: 12, inner: 36, storage })),
];

const NANO: GatedShape = { rows: 1024, width: 256, inner: 96, storage: "f32" };

export const linearGatedOp: Op = {
  name: "linear_gated",
  cases: [...SHAPES.map(gatedCase), ...SHAPES.map(gatedInputGradientCase)],
  timed: [gatedCase(NANO), gatedCase({ ...NANO, rows: 32 }), gatedInputGradientCase(NANO)],
};
