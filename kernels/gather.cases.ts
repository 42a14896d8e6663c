/** Cases of gather and scatter over rows. */
import { defineCase, type KernelCase, type Op, words } from "./cases/case";
import { gatherRows, scatterRows } from "./gather";
import { gatherReference, scatterReference } from "./gather.reference";
import { Tensor } from "./tensor";

interface Shape {
  readonly rows: number;
  readonly count: number;
  readonly width: number;
}

export function gatherCase(shape: Shape): KernelCase {
  const { rows, count, width } = shape;
  return defineCase({
    name: `gather_rows ${count} of ${rows} x ${width}`,
    tolerance: 0,
    flops: 0,
    bytes: words(2 * count * width, count),
    inputs: (random) => ({
      rowIndex: Uint32Array.from({ length: count }, () => random.below(rows)),
      x: random.normals(rows * width),
    }),
    outputs: { y: count * width },
    run(gpu, views) {
      gatherRows(gpu, views, shape);
    },
    expected: ({ rowIndex, x }) => ({ y: gatherReference(new Tensor([rows, width], x), rowIndex) }),
  });
}

export function scatterCase(shape: Shape): KernelCase {
  const { rows, count, width } = shape;
  return defineCase({
    name: `scatter_rows ${count} of ${rows} x ${width}`,
    tolerance: 0,
    flops: 0,
    bytes: words(2 * count * width, count),
    inputs: (random) => ({
      rowIndex: random.permutation(rows).slice(0, count),
      y: random.normals(count * width),
      x: random.normals(rows * width),
    }),
    outputs: { x: rows * width },
    run(gpu, views) {
      scatterRows(gpu, views, shape);
    },
    expected: ({ rowIndex, y }) => ({ x: scatterReference(new Tensor([count, width], y), rowIndex, rows) }),
  });
}

const SHAPES: readonly Shape[] = [
  { rows: 9, count: 5, width: 12 },
  { rows: 1, count: 1, width: 4 },
  { rows: 3, count: 0, width: 4 },
];

export const gatherOp: Op = {
  name: "gather",
  cases: [...SHAPES.map(gatherCase), ...SHAPES.map(scatterCase)],
  timed: [gatherCase({ rows: 1024, count: 512, width: 96 }), scatterCase({ rows: 1024, count: 512, width: 96 })],
};
