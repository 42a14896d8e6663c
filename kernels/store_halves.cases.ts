/** Cases of the rounding of weights to 16 bits. */
import { defineCase, type KernelCase, type Op, words } from "./cases/case";
import { storeHalves } from "./store_halves";
import { encodeWeights } from "./weight_storage";

/** Every exponent, both signs, ties, the largest half and what is beyond it, subnormals, infinities. */
const HARD = [
  0,
  -0,
  1,
  -1,
  65504,
  65519.99,
  65520,
  -65520,
  1e38,
  3.4e38,
  2 ** -14,
  2 ** -15,
  2 ** -24,
  2 ** -25,
  3 * 2 ** -25,
  1e-40,
  1 + 2 ** -11,
  1 + 3 * 2 ** -11,
  1 + 2 ** -8,
  1 + 3 * 2 ** -8,
  1 + 2 ** -9,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0.1,
];

function storeHalvesCase(count: number, storage: "f16" | "bf16"): KernelCase {
  return defineCase({
    name: `store_halves ${count} as ${storage}`,
    tolerance: 0,
    flops: 0,
    bytes: words(1.5 * count),
    inputs: (random) => ({
      value: Float32Array.from({ length: count }, (_, i) => HARD[i] ?? random.normal() * 10 ** (random.below(12) - 8)),
    }),
    outputs: { out: count / 2 },
    run(gpu, views) {
      storeHalves(gpu, views, { count, storage });
    },
    expected: ({ value }) => ({ out: encodeWeights(storage, value).slice(0, count / 2) }),
  });
}

export const storeHalvesOp: Op = {
  name: "store_halves",
  cases: [4, 72, 1000].flatMap((count) => [storeHalvesCase(count, "f16"), storeHalvesCase(count, "bf16")]),
  timed: [storeHalvesCase(206_000, "f16"), storeHalvesCase(206_000, "bf16"), storeHalvesCase(4_000_000, "bf16")],
};
