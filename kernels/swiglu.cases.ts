/** Cases of SwiGLU. Gates reach far out, where exp overflows or vanishes. */
import { defineCase, defineGradient, type KernelCase, type Op, words } from "./cases/case";
import { swiglu, swigluBackward } from "./swiglu";
import { swigluBackwardReference, swigluReference } from "./swiglu.reference";
import { Tensor } from "./tensor";

/** WGSL lets exp err by 3 + 2 |x| ulp; most gates are small. */
const TOLERANCE = 2e-6;

interface Shape {
  readonly rows: number;
  readonly width: number;
}

export function swigluCase(shape: Shape): KernelCase {
  const { rows, width } = shape;
  return defineCase({
    name: `swiglu ${rows} x ${width}`,
    tolerance: TOLERANCE,
    flops: 5 * rows * width,
    bytes: words(3 * rows * width),
    inputs: (random) => ({ gateUp: random.normals(rows * 2 * width, 3) }),
    outputs: { y: rows * width },
    run(gpu, views) {
      swiglu(gpu, views, shape);
    },
    expected: ({ gateUp }) => ({ y: swigluReference(new Tensor([rows, 2, width], gateUp)) }),
  });
}

export function swigluBackwardCase(shape: Shape): KernelCase {
  const { rows, width } = shape;
  return defineCase({
    name: `swiglu_backward ${rows} x ${width}`,
    tolerance: TOLERANCE,
    flops: 10 * rows * width,
    bytes: words(5 * rows * width),
    inputs: (random) => ({ gateUp: random.normals(rows * 2 * width, 3), dy: random.normals(rows * width) }),
    outputs: { dgateUp: rows * 2 * width },
    run(gpu, views) {
      swigluBackward(gpu, views, shape);
    },
    expected: ({ gateUp, dy }) => ({
      dgateUp: swigluBackwardReference(new Tensor([rows, 2, width], gateUp), new Tensor([rows, width], dy)),
    }),
  });
}

/** Gates of +-100: silu is the gate itself, or nothing. */
const swigluFarCase: KernelCase = {
  ...swigluCase({ rows: 1, width: 4 }),
  name: "swiglu of gates at -100 and 100",
  inputs: () => ({ gateUp: Float32Array.of(-100, 100, -60, 60, 1, 2, 3, 4) }),
};

const SHAPES: readonly Shape[] = [
  { rows: 7, width: 20 },
  { rows: 1, width: 4 },
  { rows: 0, width: 4 },
];

export const swigluOp: Op = {
  name: "swiglu",
  cases: [...SHAPES.map(swigluCase), swigluFarCase, ...SHAPES.map(swigluBackwardCase)],
  timed: [swigluCase({ rows: 1024, width: 256 }), swigluBackwardCase({ rows: 1024, width: 256 })],
  gradients: [
    defineGradient({
      name: "swiglu",
      inputs: (random) => ({ gateUp: new Tensor([3, 2, 5], random.normals(30, 2)) }),
      forward: ({ gateUp }) => swigluReference(gateUp),
      backward: ({ gateUp }, upstream) => ({ gateUp: swigluBackwardReference(gateUp, upstream) }),
    }),
  ],
};
