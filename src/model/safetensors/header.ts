/** Header of a safetensors file, checked. */
import { reasonOf, UserError } from "../../base/errors";
import { isRecord } from "../../base/json";
import { shown } from "../json-reader";
import { TYPE_BYTES } from "./dtype";
import { repeatedKey } from "./repeated-key";

/** Where a tensor lies in a file. */
export interface TensorEntry {
  readonly name: string;
  /** As the header names it; not always a type that can be read as floats. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** From the start of the file, in bytes. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Checks the JSON header of a safetensors file: every tensor lies inside the data, none overlaps another, none repeats,
 * and its bytes are as many as dtype and shape ask for. Like the reference implementation it refuses bytes that no
 * tensor owns.
 *
 * @param text the header's JSON
 * @param dataStart file offset of the first data byte
 * @param dataLength bytes after the header
 * @param file what to call the file in errors
 */
export function parseHeader(text: string, dataStart: number, dataLength: number, file: string): SafetensorsHeader {
  const fail = (why: string): never => {
    throw new UserError(`${file}: ${why}; the file is damaged or not a safetensors file, fetch it again`);
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return fail(`the header is not JSON (${reasonOf(error)})`);
  }
  if (!isRecord(json)) return fail("the header is not a JSON object");
  const repeated = repeatedKey(text);
  if (repeated !== undefined) fail(`the header names ${shown(repeated)} twice`);

  const metadata: Record<string, string> = {};
  const tensors: TensorEntry[] = [];
  for (const [name, value] of Object.entries(json)) {
    if (!isRecord(value)) return fail(`the entry of ${shown(name)} is not an object`);
    if (name === "__metadata__") {
      for (const [key, text] of Object.entries(value)) {
        if (typeof text !== "string") return fail(`metadata ${shown(key)} is not a string`);
        metadata[key] = text;
      }
      continue;
    }
    tensors.push(parseEntry(name, value, dataStart, dataLength, (why) => fail(`tensor ${shown(name)} ${why}`)));
  }

  const inOrder = tensors.toSorted((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = dataStart;
  for (const tensor of inOrder) {
    if (tensor.offset < end) fail(`tensor ${shown(tensor.name)} overlaps the tensor before it`);
    if (tensor.offset > end)
      fail(`${tensor.offset - end} bytes before tensor ${shown(tensor.name)} belong to no tensor`);
    end = tensor.offset + tensor.byteLength;
  }
  const rest = dataStart + dataLength - end;
  if (rest > 0) fail(`${rest} bytes at the end belong to no tensor`);
  return { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata };
}

function parseEntry(
  name: string,
  entry: Record<string, unknown>,
  dataStart: number,
  dataLength: number,
  fail: (why: string) => never,
): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = entry;
  const width = typeof dtype === "string" && Object.hasOwn(TYPE_BYTES, dtype) ? TYPE_BYTES[dtype] : undefined;
  if (typeof dtype !== "string" || width === undefined) return fail(`has the unknown dtype ${shown(dtype)}`);
  if (!isSizes(shape)) return fail(`has the shape ${shown(shape)}, expected a list of sizes`);
  if (!isSizes(offsets)) return fail(`has the offsets ${shown(offsets)}, expected [begin, end]`);
  const [begin, end] = offsets;
  if (offsets.length !== 2 || begin === undefined || end === undefined || begin > end)
    return fail(`has the offsets ${shown(offsets)}, expected [begin, end] with begin <= end`);
  if (end > dataLength) return fail(`ends at byte ${end} of the data, but the file holds ${dataLength} (cut short?)`);
  const bytes = shape.reduce((product, size) => product * size, width);
  if (bytes !== end - begin)
    return fail(`has ${end - begin} bytes, but ${dtype} of shape ${shown(shape)} needs ${bytes}`);
  return { name, dtype, shape, offset: dataStart + begin, byteLength: end - begin };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
