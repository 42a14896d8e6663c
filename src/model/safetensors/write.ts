/** Safetensors writer. */
import { encodeFloats, FLOAT_BYTES, type FloatType } from "./dtype";

/** A tensor to be stored. `data` may be a function, so that only one tensor at a time need be in host memory. */
export interface TensorToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  /** F32 unless given. */
  readonly dtype?: FloatType;
  readonly data: Float32Array | (() => Promise<Float32Array>);
}

/**
 * The bytes of a safetensors file, in pieces: the header, then one piece per tensor. The same tensors give the same
 * bytes, in whatever order they are passed: wider types come first, so that each tensor is aligned, then names by code
 * unit. The header is padded with spaces to a multiple of 8.
 */
export async function* safetensorsChunks(
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): AsyncGenerator<Uint8Array> {
  const sorted = [...tensors]
    .map((tensor) => ({
      ...tensor,
      dtype: tensor.dtype ?? "F32",
      count: tensor.shape.reduce((p, size) => p * size, 1),
    }))
    .sort((a, b) => FLOAT_BYTES[b.dtype] - FLOAT_BYTES[a.dtype] || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const entries = new Map<string, unknown>([["__metadata__", metadata]]);
  let end = 0;
  for (const { name, dtype, shape, count } of sorted) {
    if (entries.has(name)) throw new Error(`two tensors are called ${name}`);
    const begin = end;
    end += count * FLOAT_BYTES[dtype];
    entries.set(name, { dtype, shape, data_offsets: [begin, end] });
  }
  const json = new TextEncoder().encode(
    `{${[...entries].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`,
  );
  const padded = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, 8);
  yield header;
  for (const { name, dtype, data, count, shape } of sorted) {
    const values = typeof data === "function" ? await data() : data;
    if (values.length !== count)
      throw new Error(`tensor ${name} of shape [${shape.join(", ")}] got ${values.length} values`);
    yield encodeFloats(values, dtype);
  }
}

/** A whole safetensors file in memory: for small models, browsers and tests. */
export async function encodeSafetensors(
  tensors: Iterable<TensorToWrite>,
  metadata?: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of safetensorsChunks(tensors, metadata)) chunks.push(chunk);
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
