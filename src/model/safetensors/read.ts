/** Safetensors reader: random access to the tensors of a file. */
import { UserError } from "../../base/errors";
import { decodeFloats, isFloatType } from "./dtype";
import { parseHeader, type SafetensorsHeader } from "./header";

/** Random access to a file, wherever it is: on disk, behind HTTP range requests, in memory. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; the caller stays inside `size`. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Room for some 100,000 tensors, ten times what a dense model has. A claim above it must not be allocated; the
 * reference implementation allows six times as much.
 */
const MAX_HEADER_BYTES = 2 ** 24;

/** An open safetensors file: its checked header, and tensors read one at a time. */
export class SafetensorsFile {
  readonly file: string;
  readonly header: SafetensorsHeader;
  readonly #source: ByteSource;

  private constructor(file: string, header: SafetensorsHeader, source: ByteSource) {
    this.file = file;
    this.header = header;
    this.#source = source;
  }

  /**
   * Reads and checks the header; no tensor data is touched.
   *
   * @param file what to call the file in errors
   * @throws UserError naming the file, and the tensor where there is one
   */
  static async open(source: ByteSource, file: string): Promise<SafetensorsFile> {
    const fail = (why: string): never => {
      throw new UserError(`${file}: ${why}; expected a safetensors file`);
    };
    if (source.size < 8) fail(`has ${source.size} bytes, fewer than the 8 of a header length`);
    const prefix = await source.read(0, 8);
    const claimed = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
    if (claimed > BigInt(source.size - 8)) fail(`claims a header of ${claimed} bytes but has ${source.size} in all`);
    if (claimed > BigInt(MAX_HEADER_BYTES))
      fail(`claims a header of ${claimed} bytes, above the ${MAX_HEADER_BYTES} allowed`);
    const length = Number(claimed);
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await source.read(8, length));
    } catch {
      return fail("has a header that is not UTF-8 text");
    }
    return new SafetensorsFile(file, parseHeader(text, 8 + length, source.size - 8 - length, file), source);
  }

  /**
   * A tensor's values as floats, row-major.
   *
   * @throws UserError when the file has no such tensor, or it is stored in a type other than F32, F16 or BF16
   */
  async floats(name: string): Promise<Float32Array> {
    const entry = this.header.tensors.get(name);
    if (entry === undefined) throw new UserError(`${this.file}: has no tensor ${name}`);
    if (!isFloatType(entry.dtype))
      throw new UserError(`${this.file}: tensor ${name} is stored as ${entry.dtype}; expected F32, F16 or BF16`);
    return decodeFloats(await this.#source.read(entry.offset, entry.byteLength), entry.dtype);
  }
}

/** A file that is already in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.byteLength, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}
