/** Cases of the gradient norm and of AdamW. */
import { defineCase, type KernelCase, words } from "./cases";
import { type AdamWStep, adamw, gradientNorm, isUpdate, NORM_BLOCK, normPartials, sumSquares } from "./optimizer";
import { adamwReference, normReference } from "./optimizer.reference";
import { Tensor } from "./tensor";

/** Squares are positive, so nothing cancels in their sum. */
const NORM_TOLERANCE = 1e-6;
/** A square root, two divisions and a few products. */
const ADAMW_TOLERANCE = 1e-6;

const STEP: AdamWStep = {
  step: 3,
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  maxNorm: 1,
};

/** The norm over a gradient in two runs, as over a model's parameters in several buffers. */
export function gradientNormCase(first: number, second: number): KernelCase {
  const partials = normPartials(first) + normPartials(second);
  return defineCase({
    name: `gradient_norm ${first} + ${second}`,
    tolerance: NORM_TOLERANCE,
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

export function adamwCase(
  name: string,
  count: number,
  change: Partial<AdamWStep> & { norm?: number } = {},
): KernelCase {
  const { norm = 2.5, ...changed } = change;
  const step = { ...STEP, ...changed };
  const decayEnd = Math.floor(count / 8) * 4;
  return defineCase({
    name: `adamw ${count}, ${name}`,
    tolerance: ADAMW_TOLERANCE,
    flops: 14 * count,
    bytes: words(7 * count),
    inputs: (random) => ({
      gradient: random.normals(count),
      norm: Float32Array.of(norm),
      weight: random.normals(count),
      firstMoment: random.normals(count, 0.1),
      secondMoment: random.normals(count, 0.1).map((value) => value * value),
    }),
    outputs: { weight: count, firstMoment: count, secondMoment: count },
    run(gpu, views) {
      adamw(gpu, views, { count, decayEnd }, step);
    },
    expected(inputs) {
      if (!isUpdate(norm, step)) {
        const untouched = Tensor.untouched([count]);
        return { weight: untouched, firstMoment: untouched, secondMoment: untouched };
      }
      const flat = (values: Float32Array) => new Tensor([count], values);
      const state = {
        weight: flat(inputs.weight),
        firstMoment: flat(inputs.firstMoment),
        secondMoment: flat(inputs.secondMoment),
      };
      return { ...adamwReference(state, flat(inputs.gradient), norm, decayEnd, step) };
    },
  });
}

export const optimizerCases: readonly KernelCase[] = [
  gradientNormCase(4, 0),
  gradientNormCase(1028, 3000),
  gradientNormCase(150_000, 12),
  gradientNormCase(0, 0),
  adamwCase("clipped", 260),
  adamwCase("below the bound", 260, { norm: 0.5 }),
  adamwCase("no bound", 260, { maxNorm: 0 }),
  adamwCase("first step", 12, { step: 1 }),
  adamwCase("norm is infinite", 12, { norm: Number.POSITIVE_INFINITY }),
  adamwCase("norm is not a number", 12, { norm: Number.NaN }),
  adamwCase("norm is too large", 12, { norm: 2.5, skipNorm: 2.25 }),
  adamwCase("norm is just not too large", 12, { norm: 2.5, skipNorm: 2.5 }),
  adamwCase("empty", 0),
];

export const optimizerBenchCases: readonly KernelCase[] = [
  gradientNormCase(206_000, 0),
  adamwCase("nano", 206_000),
  adamwCase("large", 4_000_000),
];
