/** Cases of the sums over rows, for biases and for gains. */
import { defineCase, type KernelCase, type Op, words } from "./cases/case";
import { poisoned } from "./cases/inputs";
import { columnPartialsLength, columnSum } from "./column_sum";
import { columnSumReference } from "./column_sum.reference";
import { type VectorShape, wholeRows } from "./rms_norm";
import { VECTOR_SHAPES, vectorLabel, vectorsOf, vectorValues } from "./rms_norm.cases";
import { rmsNormBackwardReference, rstdReference } from "./rms_norm.reference";
import { Tensor } from "./tensor";

const EPSILON = 1e-5;
/** Sums of at most 64 terms, then of at most a few blocks: the terms' own rounding leads. */
const TOLERANCE = 1e-6;

export function columnSumCase(shape: VectorShape, options: { normalised: boolean }): KernelCase {
  const elements = shape.rows * shape.vectorsPerRow * shape.width;
  return defineCase({
    name: `column_sum ${vectorLabel(shape)}${options.normalised ? " of normalised" : ""}`,
    tolerance: TOLERANCE,
    flops: (options.normalised ? 3 : 1) * elements,
    bytes: words((options.normalised ? 2 : 1) * elements, 2 * shape.width),
    inputs(random) {
      const x = options.normalised ? vectorValues(random, shape) : poisoned(shape.rows * shape.rowStride);
      return {
        x,
        rstd: Float32Array.from(rstdReference(vectorsOf(x, shape), EPSILON).data),
        dy: vectorValues(random, shape),
        gradient: random.normals(shape.width),
      };
    },
    outputs: { gradient: shape.width, partials: columnPartialsLength(shape) },
    run(gpu, { x, rstd, dy, partials, gradient }) {
      columnSum(gpu, { dy, partials, gradient, ...(options.normalised && { normalised: { x, rstd } }) }, shape);
    },
    expected(inputs) {
      const dy = vectorsOf(inputs.dy, shape);
      const unit = new Tensor([shape.width], new Float32Array(shape.width).fill(1));
      const gradient = options.normalised
        ? rmsNormBackwardReference(vectorsOf(inputs.x, shape), unit, EPSILON, dy).dgain
        : columnSumReference(dy);
      return { gradient: gradient.addAll(inputs.gradient) };
    },
  });
}

export const columnSumOp: Op = {
  name: "column_sum",
  cases: [
    ...[...VECTOR_SHAPES, wholeRows(200, 8)].flatMap((shape) => [
      columnSumCase(shape, { normalised: true }),
      columnSumCase(shape, { normalised: false }),
    ]),
  ],
  timed: [
    columnSumCase(wholeRows(1024, 96), { normalised: true }),
    columnSumCase(wholeRows(1024, 1024), { normalised: true }),
  ],
};
