/** Cases of the gradient norm. */
import { defineCase, type KernelCase, type Op, words } from "./cases/case";
import { gradientNorm, NORM_BLOCK, normPartials, sumSquares } from "./gradient_norm";
import { normReference } from "./gradient_norm.reference";
import { Tensor } from "./tensor";

/** Squares are positive, so nothing cancels in their sum. */
const TOLERANCE = 1e-6;

/** The norm over a gradient in two runs, as over a model's parameters in several buffers. */
function gradientNormCase(first: number, second: number): KernelCase {
  const partials = normPartials(first) + normPartials(second);
  return defineCase({
    name: `gradient_norm ${first} + ${second}`,
    tolerance: TOLERANCE,
    flops: 2 * (first + second),
    bytes: words(first, second),
    inputs: (random) => ({ a: random.normals(first), b: random.normals(second) }),
    outputs: { norm: 1, partials },
    run(gpu, { a, b, partials: sums, norm }) {
      sumSquares(gpu, { gradient: a, partials: sums }, { count: first, partialOffset: 0 });
      sumSquares(gpu, { gradient: b, partials: sums }, { count: second, partialOffset: normPartials(first) });
      gradientNorm(gpu, { partials: sums, norm }, partials);
    },
    expected({ a, b }) {
      const all = new Tensor([first + second], [...a, ...b]);
      const blocks = [a, b].flatMap((part) =>
        Array.from({ length: normPartials(part.length) }, (_, block) => {
          const values = part.subarray(block * NORM_BLOCK, (block + 1) * NORM_BLOCK);
          return normReference(new Tensor([values.length], values)) ** 2;
        }),
      );
      return { norm: new Tensor([1], [normReference(all)]), partials: new Tensor([partials], blocks) };
    },
  });
}

export const gradientNormOp: Op = {
  name: "gradient_norm",
  cases: [gradientNormCase(4, 0), gradientNormCase(1028, 3000), gradientNormCase(150_000, 12), gradientNormCase(0, 0)],
  timed: [gradientNormCase(206_000, 0)],
};
