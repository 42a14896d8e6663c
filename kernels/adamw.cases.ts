/** Cases of AdamW with moments in f32. */
import { type AdamWStep, adamw, isUpdate } from "./adamw";
import { adamwReference } from "./adamw.reference";
import { defineCase, type KernelCase, type Op, words } from "./cases/case";
import { Tensor } from "./tensor";

/** A square root, two divisions and a few products. */
const TOLERANCE = 1e-6;

/** The step of the cases, unless they change it. */
export const STEP: AdamWStep = {
  step: 3,
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  maxNorm: 1,
};

function adamwCase(name: string, count: number, change: Partial<AdamWStep> & { norm?: number } = {}): KernelCase {
  const { norm = 2.5, ...changed } = change;
  const step = { ...STEP, ...changed };
  const decayEnd = Math.floor(count / 8) * 4;
  return defineCase({
    name: `adamw ${count}, ${name}`,
    tolerance: TOLERANCE,
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

export const adamwOp: Op = {
  name: "adamw",
  cases: [
    adamwCase("clipped", 260),
    adamwCase("below the bound", 260, { norm: 0.5 }),
    adamwCase("no bound", 260, { maxNorm: 0 }),
    adamwCase("first step", 12, { step: 1 }),
    adamwCase("norm is infinite", 12, { norm: Number.POSITIVE_INFINITY }),
    adamwCase("norm is not a number", 12, { norm: Number.NaN }),
    adamwCase("norm is too large", 12, { norm: 2.5, skipNorm: 2.25 }),
    adamwCase("norm is just not too large", 12, { norm: 2.5, skipNorm: 2.5 }),
    adamwCase("empty", 0),
  ],
  timed: [adamwCase("nano", 206_000), adamwCase("large", 4_000_000)],
};
