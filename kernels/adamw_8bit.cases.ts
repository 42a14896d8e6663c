/** Cases of AdamW with moments of 8 bits: every byte as in the reference, scales and weights within f32. */
import { type AdamWStep, isUpdate } from "./adamw";
import { STEP } from "./adamw.cases";
import { adamw8bit, adamw8bitLevels, encodeMoments, momentBlocks } from "./adamw_8bit";
import { adamw8bitReference } from "./adamw_8bit.reference";
import { defineCase, type KernelCase, type Op } from "./cases/case";
import { Tensor } from "./tensor";

/** As for AdamW in f32. */
const TOLERANCE = 1e-6;

function adamw8bitCase(
  name: string,
  count: number,
  change: Partial<AdamWStep> & { norm?: number; gradientScale?: number; momentScale?: number } = {},
): KernelCase {
  const { norm = 2.5, gradientScale = 1, momentScale = 0.1, ...changed } = change;
  const step = { ...STEP, ...changed };
  const decayEnd = Math.floor(count / 8) * 4;
  const blocks = momentBlocks(count);
  const wordCount = Math.ceil(count / 4);
  return defineCase({
    name: `adamw_8bit ${count}, ${name}`,
    tolerance: TOLERANCE,
    flops: 14 * count,
    bytes: 16 * count + 16 * blocks,
    inputs(random) {
      // Magnitudes over many decades, so that all levels occur.
      const wide = (scale: number) => random.normals(count, scale).map((value) => value * 10 ** -random.below(5));
      const first = encodeMoments("first", wide(momentScale));
      const second = encodeMoments(
        "second",
        wide(momentScale).map((value) => value * value),
      );
      return {
        gradient: wide(gradientScale),
        norm: Float32Array.of(norm),
        levels: adamw8bitLevels,
        weight: random.normals(count),
        firstBytes: first.bytes.slice(0, wordCount),
        secondBytes: second.bytes.slice(0, wordCount),
        firstScales: first.scales,
        secondScales: second.scales,
      };
    },
    outputs: {
      weight: count,
      firstBytes: wordCount,
      secondBytes: wordCount,
      firstScales: blocks,
      secondScales: blocks,
    },
    run(gpu, views) {
      adamw8bit(gpu, views, { count, decayEnd }, step);
    },
    expected(inputs) {
      const { firstBytes, secondBytes, firstScales, secondScales } = inputs;
      if (!isUpdate(norm, step)) {
        const scales = Tensor.untouched([blocks]);
        const weight = Tensor.untouched([count]);
        return { weight, firstBytes, secondBytes, firstScales: scales, secondScales: scales };
      }
      const after = adamw8bitReference(
        {
          weight: new Tensor([count], inputs.weight),
          first: { bytes: firstBytes, scales: firstScales },
          second: { bytes: secondBytes, scales: secondScales },
        },
        new Tensor([count], inputs.gradient),
        norm,
        decayEnd,
        step,
      );
      return {
        weight: after.weight,
        firstBytes: after.first.bytes.slice(0, wordCount),
        secondBytes: after.second.bytes.slice(0, wordCount),
        firstScales: new Tensor([blocks], after.first.scales),
        secondScales: new Tensor([blocks], after.second.scales),
      };
    },
  });
}

export const adamw8bitOp: Op = {
  name: "adamw_8bit",
  cases: [
    adamw8bitCase("clipped", 768),
    adamw8bitCase("last block partial", 260),
    adamw8bitCase("last block partial, several", 1500),
    adamw8bitCase("below the bound", 516, { norm: 0.5 }),
    adamw8bitCase("no bound", 512, { maxNorm: 0 }),
    adamw8bitCase("first step, moments 0", 512, { step: 1, momentScale: 0 }),
    adamw8bitCase("gradient 0", 300, { gradientScale: 0, norm: 0 }),
    adamw8bitCase("all 0", 300, { gradientScale: 0, momentScale: 0, norm: 0 }),
    adamw8bitCase("norm is infinite", 260, { norm: Number.POSITIVE_INFINITY }),
    adamw8bitCase("norm is not a number", 260, { norm: Number.NaN }),
    adamw8bitCase("norm is too large", 260, { norm: 2.5, skipNorm: 2.25 }),
    adamw8bitCase("norm is just not too large", 260, { norm: 2.5, skipNorm: 2.5 }),
    adamw8bitCase("empty", 0),
  ],
  timed: [adamw8bitCase("nano", 206_000)],
};
