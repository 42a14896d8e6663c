import { expect, test } from "vitest";
import { Random } from "../../kernels/cases/inputs";
import { relativeError } from "../../kernels/tensor";
import { decodeWeights, encodeWeights, storageBytes } from "../../kernels/weight_storage";
import { bitsOf } from "../support/reference/models";

const values = new Random("stored weights").normals(1000, 0.02);

/**
 * Relative norm error of normal values; the bounds are what the formats promise: half of 2^-11, 2^-8, and half of a
 * block's scale.
 */
test.each([
  ["f32", 0, 4000],
  ["f16", 2 ** -12, 2048],
  ["bf16", 2 ** -9, 2048],
  ["int8", 0.007, 1152],
  ["int4", 0.1, 640],
] as const)("%s: relative error below %f, %i bytes for 1000 values", (storage, bound, bytes) => {
  const words = encodeWeights(storage, values);
  expect(storageBytes(storage, 1000)).toBe(storage === "f32" ? 4096 : bytes);
  if (storage !== "f32") expect(words.byteLength).toBe(bytes);
  const decoded = decodeWeights(storage, words, 1000);
  const error = relativeError(decoded, values);
  console.log(`${storage}: relative error of 1000 normal values ${error}`);
  expect(error).toBeLessThanOrEqual(bound);
});

test.each(["int8", "int4"] as const)(
  "%s: what was decoded is stored again without change; zeros stay zero",
  (storage) => {
    const once = decodeWeights(storage, encodeWeights(storage, values), 1000);
    expect(bitsOf(decodeWeights(storage, encodeWeights(storage, once), 1000))).toEqual(bitsOf(once));
    const zeros = decodeWeights(storage, encodeWeights(storage, new Float32Array(40)), 40);
    expect(zeros.every((value) => value === 0)).toBe(true);
    const tiny = Float32Array.of(1e-45, -1e-45, 0);
    expect(decodeWeights(storage, encodeWeights(storage, tiny), 3).every((value) => Math.abs(value) <= 1e-45)).toBe(
      true,
    );
  },
);
