/** Cases of the linear layer in its three transposes. */
import { defineCase, defineGradient, type KernelCase, type Op, words } from "./cases/case";
import { poisoned, type Random } from "./cases/inputs";
import { type LinearShape, linear, linearInputGradient, linearWeightGradient } from "./linear";
import { linearInputGradientReference, linearReference, linearWeightGradientReference } from "./linear.reference";
import { Tensor } from "./tensor";
import { decodeWeights, encodeWeights, storageBytes, weightStorages } from "./weight_storage";

/** A chain of K fused multiply-adds errs by about sqrt(K) * 2^-24 of its norm: 1e-6 at K = 512. */
const TOLERANCE = 2e-6;

function label(shape: LinearShape): string {
  const shard = shape.stride === undefined ? "" : ` in columns ${shape.offset ?? 0}.. of ${shape.stride}`;
  const storage = storageOf(shape) === "f32" ? "" : `, ${shape.storage} weight`;
  const scale = shape.scale === undefined ? "" : ` times ${shape.scale}`;
  return `${shape.rows} x ${shape.inner} -> ${shape.outer}${shard}${storage}${scale}`;
}

const storageOf = (shape: LinearShape) => shape.storage ?? "f32";

/** Random weights as they are stored. */
function storedWeight(random: Random, shape: LinearShape): Uint32Array {
  return encodeWeights(storageOf(shape), random.normals(shape.outer * shape.inner));
}

/** The weights that the GPU reads. */
function weightOf(stored: Uint32Array, shape: LinearShape): Tensor {
  return new Tensor([shape.outer, shape.inner], decodeWeights(storageOf(shape), stored, shape.outer * shape.inner));
}

function costs(shape: LinearShape): { flops: number; bytes: number } {
  const { rows, outer, inner } = shape;
  return {
    flops: 2 * rows * outer * inner,
    bytes: words(rows * inner, rows * outer) + storageBytes(storageOf(shape), outer * inner),
  };
}

const strideOf = (shape: LinearShape) => shape.stride ?? shape.outer;

/** The multiple of 4 that columns of y are written up to. */
const padded = (columns: number) => Math.ceil(columns / 4) * 4;

/** Values in this weight's columns, NaN in the other shards' and in the padding. */
function sharded(random: Random, shape: LinearShape): Float32Array {
  const values = poisoned(shape.rows * strideOf(shape));
  for (let m = 0; m < shape.rows; m++)
    values.set(random.normals(shape.outer), m * strideOf(shape) + (shape.offset ?? 0));
  return values;
}

/** This weight's columns of a matrix in shards. */
function columnsOf(values: Float32Array, shape: LinearShape): Tensor {
  const columns = new Tensor([shape.rows, shape.outer]);
  const all = new Tensor([shape.rows, strideOf(shape)], values);
  for (let m = 0; m < shape.rows; m++)
    for (let n = 0; n < shape.outer; n++) columns.set(all.at(m, (shape.offset ?? 0) + n), m, n);
  return columns;
}

export function linearCase(
  shape: LinearShape,
  options: { bias?: boolean; residual?: boolean; accumulate?: boolean } = {},
): KernelCase {
  const { rows, outer, inner } = shape;
  const terms = `${options.bias ? " + bias" : ""}${options.residual ? " + residual" : ""}`;
  return defineCase({
    name: `linear ${label(shape)}${terms}${options.accumulate ? ", added" : ""}`,
    tolerance: TOLERANCE,
    ...costs(shape),
    inputs: (random) => ({
      x: random.normals(rows * inner),
      weight: storedWeight(random, shape),
      bias: options.bias ? random.normals(outer) : poisoned(outer),
      residual: options.residual ? sharded(random, shape) : poisoned(rows * strideOf(shape)),
      y: options.accumulate ? sharded(random, shape) : poisoned(rows * strideOf(shape)),
    }),
    outputs: { y: rows * strideOf(shape) },
    run(gpu, { x, weight, bias, residual, y }) {
      linear(
        gpu,
        { x, weight, y, ...(options.bias && { bias }), ...(options.residual && { residual }) },
        shape,
        options.accumulate,
      );
    },
    expected({ x, weight, bias, residual, y: before }) {
      const product = linearReference(
        new Tensor([rows, inner], x),
        weightOf(weight, shape),
        options.bias ? new Tensor([outer], bias) : undefined,
        options.residual ? columnsOf(residual, shape) : undefined,
        shape.scale,
      );
      const added = options.accumulate ? columnsOf(before, shape) : undefined;
      const y = Tensor.untouched([rows, strideOf(shape)]);
      for (let m = 0; m < rows; m++)
        for (let n = 0; n < padded(outer); n++)
          y.set(n < outer ? product.at(m, n) + (added?.at(m, n) ?? 0) : 0, m, (shape.offset ?? 0) + n);
      return { y };
    },
  });
}

function inputGradientCase(shape: LinearShape, accumulate = false): KernelCase {
  const { rows, inner } = shape;
  return defineCase({
    name: `linear input gradient ${label(shape)}${accumulate ? ", added" : ""}`,
    tolerance: TOLERANCE,
    ...costs(shape),
    inputs: (random) => ({
      dy: sharded(random, shape),
      weight: storedWeight(random, shape),
      dx: accumulate ? random.normals(rows * inner) : poisoned(rows * inner),
    }),
    outputs: { dx: rows * inner },
    run(gpu, views) {
      linearInputGradient(gpu, views, shape, accumulate);
    },
    expected({ dy, weight, dx }) {
      const gradient = linearInputGradientReference(columnsOf(dy, shape), weightOf(weight, shape), shape.scale);
      return { dx: accumulate ? gradient.addAll(dx) : gradient };
    },
  });
}

function weightGradientCase(shape: LinearShape): KernelCase {
  const { rows, outer, inner } = shape;
  return defineCase({
    name: `linear weight gradient ${label(shape)}`,
    tolerance: TOLERANCE,
    ...costs(shape),
    inputs: (random) => ({
      dy: sharded(random, shape),
      x: random.normals(rows * inner),
      dweight: random.normals(outer * inner),
    }),
    outputs: { dweight: outer * inner },
    run(gpu, views) {
      linearWeightGradient(gpu, views, shape);
    },
    expected({ dy, x, dweight }) {
      const gradient = linearWeightGradientReference(columnsOf(dy, shape), new Tensor([rows, inner], x));
      return { dweight: gradient.addAll(dweight) };
    },
  });
}

/** Ragged in every direction, one row, one column, no row, more columns than one workgroup holds, columns in shards. */
const SHAPES: readonly LinearShape[] = [
  { rows: 5, inner: 20, outer: 13, stride: 16 },
  { rows: 1, inner: 4, outer: 1, stride: 4 },
  { rows: 18, inner: 36, outer: 131, stride: 132 },
  { rows: 0, inner: 8, outer: 8 },
  { rows: 6, inner: 12, outer: 17, stride: 40, offset: 16 },
];

export const linearOp: Op = {
  name: "linear",
  cases: [
    ...SHAPES.map((shape) => linearCase(shape)),
    linearCase({ rows: 3, inner: 512, outer: 8 }),
    linearCase({ rows: 7, inner: 24, outer: 10, stride: 12 }, { bias: true, residual: true }),
    linearCase({ rows: 6, inner: 12, outer: 17, stride: 40, offset: 16 }, { residual: true }),
    ...SHAPES.map((shape) => inputGradientCase(shape)),
    linearCase({ rows: 6, inner: 12, outer: 17, stride: 40, offset: 16, scale: -0.375 }, { accumulate: true }),
    inputGradientCase({ rows: 10, inner: 40, outer: 11, scale: 2.5 }, true),
    ...SHAPES.map((shape) => weightGradientCase(shape)),
    // Rows that end inside a block of 32, and more than one block.
    ...weightStorages
      .filter((storage) => storage !== "f32")
      .flatMap((storage) => [
        linearCase({ rows: 7, inner: 36, outer: 13, stride: 16, storage }),
        inputGradientCase({ rows: 7, inner: 36, outer: 13, storage }),
      ]),
  ],
  // Projections of the nano model over a training batch and over a decode batch, and square matrices.
  timed: [
    ...[
      { rows: 512, inner: 512, outer: 512 },
      { rows: 1024, inner: 96, outer: 192 },
      { rows: 1024, inner: 96, outer: 512 },
      { rows: 1024, inner: 256, outer: 96 },
    ].flatMap((shape) => [linearCase(shape), inputGradientCase(shape), weightGradientCase(shape)]),
    ...weightStorages.slice(1).map((storage) => linearCase({ rows: 512, inner: 512, outer: 512, storage })),
    linearCase({ rows: 128, inner: 96, outer: 512 }),
    linearCase({ rows: 1, inner: 512, outer: 512 }),
    // Square matrices that fill a hardware adapter; on a software one they would take minutes, and are left out.
    ...[
      { rows: 2048, inner: 2048, outer: 2048 },
      { rows: 4096, inner: 1024, outer: 4096 },
    ].flatMap((shape) => [linearCase(shape), inputGradientCase(shape), weightGradientCase(shape)]),
  ],
  gradients: [
    defineGradient({
      name: "linear",
      inputs: (random) => ({
        x: new Tensor([3, 5], random.normals(15)),
        weight: new Tensor([4, 5], random.normals(20)),
      }),
      forward: ({ x, weight }) => linearReference(x, weight),
      backward: ({ x, weight }, upstream) => ({
        x: linearInputGradientReference(upstream, weight),
        weight: linearWeightGradientReference(upstream, x),
      }),
    }),
  ],
};
