/** Cases of RMSNorm over whole rows and over the heads inside rows. */
import { defineCase, defineGradient, type KernelCase, type Op, words } from "./cases/case";
import { poisoned, type Random } from "./cases/inputs";
import { rmsNorm, rmsNormBackward, type VectorShape, wholeRows } from "./rms_norm";
import { rmsNormBackwardReference, rmsNormReference, rstdReference } from "./rms_norm.reference";
import { Tensor } from "./tensor";

const EPSILON = 1e-5;
/** Products of a few rounded factors, and an inverseSqrt that may err by 2 ulp. */
const TOLERANCE = 1e-6;

export function vectorLabel(shape: VectorShape): string {
  const { rows, vectorsPerRow, width, rowStride, vectorOffset } = shape;
  if (width === rowStride) return `${rows} x ${width}`;
  return `${rows} x ${vectorsPerRow} heads x ${width} from ${vectorOffset} of ${rowStride}`;
}

const elements = (shape: VectorShape) => shape.rows * shape.vectorsPerRow * shape.width;

/** Index of vector v's first element. */
const start = (shape: VectorShape, v: number) =>
  Math.floor(v / shape.vectorsPerRow) * shape.rowStride + shape.vectorOffset + (v % shape.vectorsPerRow) * shape.width;

/** Values in the vectors, NaN in the rest of the rows. */
export function vectorValues(random: Random, shape: VectorShape): Float32Array {
  const values = poisoned(shape.rows * shape.rowStride);
  for (let v = 0; v < shape.rows * shape.vectorsPerRow; v++) values.set(random.normals(shape.width), start(shape, v));
  return values;
}

/** The vectors alone, [vectors, width]. */
export function vectorsOf(values: Float32Array, shape: VectorShape): Tensor {
  const vectors: number[] = [];
  for (let v = 0; v < shape.rows * shape.vectorsPerRow; v++)
    vectors.push(...values.subarray(start(shape, v), start(shape, v) + shape.width));
  return new Tensor([shape.rows * shape.vectorsPerRow, shape.width], vectors);
}

/** Vectors back in their rows, the rest left as it was. */
function inRows(vectors: Tensor, shape: VectorShape): Tensor {
  const rows = Tensor.untouched([shape.rows, shape.rowStride]);
  for (let v = 0; v < vectors.size(0); v++)
    for (let c = 0; c < shape.width; c++) rows.data[start(shape, v) + c] = vectors.at(v, c);
  return rows;
}

export function rmsNormCase(shape: VectorShape): KernelCase {
  const vectors = shape.rows * shape.vectorsPerRow;
  return defineCase({
    name: `rms_norm ${vectorLabel(shape)}`,
    tolerance: TOLERANCE,
    flops: 4 * elements(shape),
    bytes: words(2 * elements(shape), shape.width, vectors),
    inputs: (random) => ({ x: vectorValues(random, shape), gain: random.normals(shape.width, 0.3, 1) }),
    outputs: { y: shape.rows * shape.rowStride, rstd: vectors },
    run(gpu, views) {
      rmsNorm(gpu, views, shape, EPSILON);
    },
    expected(inputs) {
      const x = vectorsOf(inputs.x, shape);
      const gain = new Tensor([shape.width], inputs.gain);
      return { y: inRows(rmsNormReference(x, gain, EPSILON), shape), rstd: rstdReference(x, EPSILON) };
    },
  });
}

export function rmsNormBackwardCase(shape: VectorShape, options: { residual?: boolean } = {}): KernelCase {
  const vectors = shape.rows * shape.vectorsPerRow;
  return defineCase({
    name: `rms_norm_backward ${vectorLabel(shape)}${options.residual ? " + residual" : ""}`,
    tolerance: TOLERANCE,
    flops: 8 * elements(shape),
    bytes: words((options.residual ? 4 : 3) * elements(shape), shape.width, vectors),
    inputs(random) {
      const x = vectorValues(random, shape);
      return {
        x,
        gain: random.normals(shape.width, 0.3, 1),
        rstd: Float32Array.from(rstdReference(vectorsOf(x, shape), EPSILON).data),
        dy: vectorValues(random, shape),
        residual: options.residual ? vectorValues(random, shape) : poisoned(shape.rows * shape.rowStride),
      };
    },
    outputs: { dx: shape.rows * shape.rowStride },
    run(gpu, { residual, ...views }) {
      rmsNormBackward(gpu, { ...views, ...(options.residual && { residualGradient: residual }) }, shape);
    },
    expected(inputs) {
      const gain = new Tensor([shape.width], inputs.gain);
      const { dx } = rmsNormBackwardReference(vectorsOf(inputs.x, shape), gain, EPSILON, vectorsOf(inputs.dy, shape));
      if (options.residual) dx.addAll(vectorsOf(inputs.residual, shape).data);
      return { dx: inRows(dx, shape) };
    },
  });
}

/** Ragged, one row, one vec4, no row, long rows, and heads of a projection as Qwen3 normalises them. */
export const VECTOR_SHAPES: readonly VectorShape[] = [
  wholeRows(5, 20),
  wholeRows(1, 4),
  wholeRows(0, 8),
  wholeRows(13, 1028),
  { rows: 3, vectorsPerRow: 2, width: 8, rowStride: 40, vectorOffset: 12 },
];

export const rmsNormOp: Op = {
  name: "rms_norm",
  cases: [
    ...VECTOR_SHAPES.map((shape) => rmsNormCase(shape)),
    ...VECTOR_SHAPES.map((shape) => rmsNormBackwardCase(shape)),
    rmsNormBackwardCase(wholeRows(9, 12), { residual: true }),
  ],
  timed: [
    rmsNormCase(wholeRows(1024, 96)),
    rmsNormCase(wholeRows(1024, 1024)),
    rmsNormBackwardCase(wholeRows(1024, 96), { residual: true }),
    rmsNormBackwardCase(wholeRows(1024, 1024), { residual: true }),
  ],
  gradients: [
    defineGradient({
      name: "rms_norm",
      inputs: (random) => ({
        x: new Tensor([3, 6], random.normals(18)),
        gain: new Tensor([6], random.normals(6, 0.3, 1)),
      }),
      forward: ({ x, gain }) => rmsNormReference(x, gain, EPSILON),
      backward({ x, gain }, upstream) {
        const { dx, dgain } = rmsNormBackwardReference(x, gain, EPSILON, upstream);
        return { x: dx, gain: dgain };
      },
    }),
  ],
};
