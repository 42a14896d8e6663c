/**
 * AdamW over flat runs of parameters, with moments in blocks of 256 bytes with one f32 scale (after Dettmers et al.
 * 2022); and those blocks as the host reads and writes them.
 */
import adamwText from "../shaders/adamw_8bit.wgsl?raw";
import { must } from "../src/base/must";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { ADAMW_PARAMS, type AdamWStep, adamwParams } from "./adamw";
import { defineProgram, linearGrid } from "./program";

const adamw8bitProgram = defineProgram("adamw_8bit", adamwText, {
  bindings: ["gradient", "norm", "levels", "weight", "first_bytes", "second_bytes", "first_scales", "second_scales"],
  params: ADAMW_PARAMS,
});

/** Values that share a scale. */
export const MOMENT_BLOCK = 256;

/** The first moment has a sign and 7 bits over 6 decades, the second 8 bits over 7 decades. */
export type MomentKind = "first" | "second";

/** A block whose largest magnitude is below this is stored as zeros, so that no product with a level is subnormal. */
const SMALLEST_SCALE = 2 ** -100;

/** 0, then magnitudes evenly spaced in the logarithm up to 1, in f32. */
function levels(count: number, decades: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) =>
    i === 0 ? 0 : 10 ** (-decades * ((count - 1 - i) / (count - 2))),
  );
}

export const momentLevels: Readonly<Record<MomentKind, Float32Array>> = {
  first: levels(128, 6),
  second: levels(256, 7),
};

/** What the `levels` buffer holds: those of the first moment, then those of the second. */
export const adamw8bitLevels = Float32Array.of(...momentLevels.first, ...momentLevels.second);

/** One AdamW step over `count` elements, of which the first `decayEnd` decay. Both multiples of 4. */
export function adamw8bit(
  gpu: GpuContext,
  views: {
    gradient: BufferView;
    norm: BufferView;
    levels: BufferView;
    weight: BufferView;
    firstBytes: BufferView;
    secondBytes: BufferView;
    firstScales: BufferView;
    secondScales: BufferView;
  },
  shape: { count: number; decayEnd: number },
  step: AdamWStep,
): void {
  adamw8bitProgram.record(gpu, {
    bindings: {
      gradient: views.gradient,
      norm: views.norm,
      levels: views.levels,
      weight: views.weight,
      first_bytes: views.firstBytes,
      second_bytes: views.secondBytes,
      first_scales: views.firstScales,
      second_scales: views.secondScales,
    },
    params: adamwParams(shape, step),
    grid: linearGrid(momentBlocks(shape.count)),
  });
}

/** Blocks of `count` values; a started block counts whole. */
export function momentBlocks(count: number): number {
  return Math.ceil(count / MOMENT_BLOCK);
}

/** Bytes in words of four, and the scale of each block. */
export interface StoredMoments {
  readonly bytes: Uint32Array;
  readonly scales: Float32Array;
}

/**
 * Each value goes to the nearest level of its block; a second moment above 0 goes at least to the lowest level above 0,
 * because AdamW divides by its root.
 */
export function encodeMoments(kind: MomentKind, values: Float32Array): StoredMoments {
  const blocks = momentBlocks(values.length);
  const words = new Uint32Array((blocks * MOMENT_BLOCK) / 4);
  const bytes = new Uint8Array(words.buffer);
  const scales = new Float32Array(blocks);
  for (let block = 0; block < blocks; block++) {
    const part = values.subarray(block * MOMENT_BLOCK, (block + 1) * MOMENT_BLOCK);
    const largest = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scale = largest < SMALLEST_SCALE ? 0 : largest;
    scales[block] = scale;
    part.forEach((value, i) => {
      const level = nearestLevel(kind, Math.abs(value), scale);
      bytes[block * MOMENT_BLOCK + i] = kind === "first" && value < 0 && level > 0 ? level + 128 : level;
    });
  }
  return { bytes: words, scales };
}

/** The `count` values that are stored, in f32. */
export function decodeMoments(kind: MomentKind, { bytes, scales }: StoredMoments, count: number): Float32Array {
  const stored = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table = momentLevels[kind];
  return Float32Array.from({ length: count }, (_, i) => {
    const byte = must(stored[i], "the byte of a moment");
    const scale = must(scales[Math.floor(i / MOMENT_BLOCK)], "the scale of a block of moments");
    const magnitude = must(table[byte % table.length], LEVEL) * scale;
    return byte >= table.length ? -magnitude : magnitude;
  });
}

const LEVEL = "a level";

/** The number of midpoints times the scale, in f32, that lie below the magnitude. */
function nearestLevel(kind: MomentKind, magnitude: number, scale: number): number {
  if (scale === 0) return 0;
  const table = momentLevels[kind];
  let low = 0;
  let high = table.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const midpoint = Math.fround(Math.fround(must(table[middle], LEVEL) + must(table[middle + 1], LEVEL)) * 0.5);
    if (magnitude > Math.fround(midpoint * scale)) low = middle + 1;
    else high = middle;
  }
  return kind === "second" && magnitude > 0 ? Math.max(low, 1) : low;
}
