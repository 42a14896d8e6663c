/** Data types of safetensors: their names and sizes, and floats to bytes and back. */
import { halfTable, toBfloat16, toFloat16 } from "../../../kernels/half_floats";

/** Storage types that this package trains from and writes. */
export type FloatType = "F32" | "F16" | "BF16";

/** Their names in config.json. */
export const dtypeNames = ["float32", "float16", "bfloat16"] as const;
export type DtypeName = (typeof dtypeNames)[number];
export const FLOAT_TYPES: Readonly<Record<DtypeName, FloatType>> = { float32: "F32", float16: "F16", bfloat16: "BF16" };

/** Bytes per value of them. */
export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { F32: 4, F16: 2, BF16: 2 };

/**
 * Bytes per value of every type a safetensors header may name, so that foreign tensors can at least be measured and
 * skipped.
 */
export const TYPE_BYTES: Readonly<Record<string, number>> = {
  ...FLOAT_BYTES,
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  I32: 4,
  U32: 4,
  C64: 8,
  F64: 8,
  I64: 8,
  U64: 8,
};

export function isFloatType(type: string): type is FloatType {
  return type === "F32" || type === "F16" || type === "BF16";
}

/**
 * Little-endian stored values to floats; exact for all three types.
 * Every JavaScript engine with WebGPU runs on a little-endian machine, so typed arrays read the bytes as they are.
 *
 * @returns a view of `bytes` where type and alignment allow it, else a copy
 */
export function decodeFloats(bytes: Uint8Array, type: FloatType): Float32Array<ArrayBufferLike> {
  const width = type === "F32" ? 4 : 2;
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const count = bytes.byteLength / width;
  if (type === "F32") return new Float32Array(aligned.buffer, aligned.byteOffset, count);
  const halves = new Uint16Array(aligned.buffer, aligned.byteOffset, count);
  if (type === "BF16") {
    const bits = new Uint32Array(count);
    // Here and below, indices end with the lists: `?? 0` is for the compiler.
    for (let i = 0; i < count; i++) bits[i] = (halves[i] ?? 0) << 16;
    return new Float32Array(bits.buffer);
  }
  const table = halfTable();
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = table[halves[i] ?? 0] ?? 0;
  return values;
}

/** Floats to little-endian bytes, rounding to the nearest value, ties to even; what overflows becomes infinite. */
export function encodeFloats(values: Float32Array, type: FloatType): Uint8Array {
  if (type === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  const round = type === "BF16" ? toBfloat16 : toFloat16;
  for (let i = 0; i < bits.length; i++) halves[i] = round(bits[i] ?? 0);
  return new Uint8Array(halves.buffer);
}
