/**
 * Weight storage: how weight matrices may lie in GPU memory, and the conversion from and to f32. The shaders' side is
 * shaders/lib/weight_*.wgsl.
 */
import { must } from "../src/base/must";
import { halfTable, toBfloat16, toFloat16 } from "./half_floats";

export const weightStorages = ["f32", "f16", "bf16", "int8", "int4"] as const;

/**
 * `int8` and `int4` are blocks of 32 values with one f32 scale: 9 and 5 bits a value; for weights that are not trained.
 */
export type WeightStorage = (typeof weightStorages)[number];

const STORED = "a stored weight";

/** Values that share a scale. */
export const STORAGE_BLOCK = 32;

/** Words of 32 bits that 32 values take. */
const WORDS_PER_BLOCK: Record<WeightStorage, number> = { f32: 32, f16: 16, bf16: 16, int8: 9, int4: 5 };

/**
 * Values are laid out in multiples of this many, so that a view begins where any adapter lets a binding begin (256
 * bytes).
 */
export const STORAGE_ALIGNMENT: Record<WeightStorage, number> = {
  f32: 64,
  f16: 128,
  bf16: 128,
  int8: 2048,
  int4: 2048,
};

/** Bytes of `count` values; a started block counts whole. */
export function storageBytes(storage: WeightStorage, count: number): number {
  return Math.ceil(count / STORAGE_BLOCK) * WORDS_PER_BLOCK[storage] * 4;
}

/**
 * f32 values to what the GPU reads. Halves round to nearest even. A block's scale is its largest magnitude over 127
 * (int8), or its value of largest magnitude over -8 (int4), so that this value is met exactly up to rounding; errors
 * are at most half a scale, and for int4 one scale at the far end.
 */
export function encodeWeights(storage: WeightStorage, values: Float32Array): Uint32Array {
  if (storage === "f32") return new Uint32Array(values.buffer, values.byteOffset, values.length);
  const words = new Uint32Array(storageBytes(storage, values.length) / 4);
  if (storage === "int8" || storage === "int4") {
    const width = WORDS_PER_BLOCK[storage];
    for (let block = 0; block * STORAGE_BLOCK < values.length; block++)
      encodeBlock(
        storage,
        values.subarray(block * STORAGE_BLOCK, (block + 1) * STORAGE_BLOCK),
        words.subarray(block * width, (block + 1) * width),
      );
    return words;
  }
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(words.buffer);
  const round = storage === "bf16" ? toBfloat16 : toFloat16;
  for (let i = 0; i < bits.length; i++) halves[i] = round(must(bits[i], "a value"));
  return words;
}

/** The `count` values that the GPU reads out of `words`. */
export function decodeWeights(storage: WeightStorage, words: Uint32Array, count: number): Float32Array {
  if (storage === "f32") return new Float32Array(words.buffer, words.byteOffset, count);
  const values = new Float32Array(count);
  const halves = new Uint16Array(words.buffer, words.byteOffset, words.length * 2);
  if (storage === "f16") {
    const table = halfTable();
    for (let i = 0; i < count; i++) values[i] = must(table[must(halves[i], STORED)], "the value of a half");
  } else if (storage === "bf16") {
    const bits = new Uint32Array(values.buffer);
    for (let i = 0; i < count; i++) bits[i] = must(halves[i], STORED) << 16;
  } else {
    const width = WORDS_PER_BLOCK[storage];
    const scales = new Float32Array(words.buffer, words.byteOffset, words.length);
    for (let i = 0; i < count; i++) {
      const block = Math.floor(i / STORAGE_BLOCK) * width;
      values[i] =
        quantum(storage, words.subarray(block + 1), i % STORAGE_BLOCK) * must(scales[block], "the scale of a block");
    }
  }
  return values;
}

function encodeBlock(storage: "int8" | "int4", values: Float32Array, words: Uint32Array): void {
  let largest = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(largest)) largest = value;
  const scale = Math.fround(storage === "int8" ? Math.abs(largest) / 127 : largest / -8);
  new Float32Array(words.buffer, words.byteOffset, 1)[0] = scale;
  // A scale of 0 (all values 0, or too small to divide) makes every value 0.
  values.forEach((value, i) => {
    const ratio = scale === 0 ? 0 : Math.round(value / scale);
    if (storage === "int8") {
      const byte = Math.max(-127, Math.min(127, ratio)) & 0xff;
      setBits(words, 1 + (i >> 2), byte << ((i & 3) * 8));
    } else {
      const nibble = Math.max(-8, Math.min(7, ratio)) + 8;
      setBits(words, 1 + (i >> 3), nibble << ((i & 7) * 4));
    }
  });
  // Nibbles count from -8, so places beyond the end must say 8 to be 0.
  if (storage === "int4")
    for (let i = values.length; i < STORAGE_BLOCK; i++) setBits(words, 1 + (i >> 3), 8 << ((i & 7) * 4));
}

function setBits(words: Uint32Array, index: number, bits: number): void {
  words[index] = must(words[index], STORED) | bits;
}

/** The integer of place `i` of a block. */
function quantum(storage: "int8" | "int4", words: Uint32Array, i: number): number {
  return storage === "int8"
    ? (must(words[i >> 2], STORED) << (24 - (i & 3) * 8)) >> 24
    : ((must(words[i >> 3], STORED) >>> ((i & 7) * 4)) & 15) - 8;
}
