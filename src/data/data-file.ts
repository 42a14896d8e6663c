/** Bytes of a data file, wherever it lies, as chunks and as lines of text. */

import { UserError } from "../base/errors";
import { must } from "../base/must";

/** Random access to a file: on disk, in memory. */
export interface DataFile {
  /** What to call it in errors; its ending decides how it is read. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; the caller stays inside `size`. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A line of a text with its number, counted from 1. */
export interface NumberedLine {
  readonly number: number;
  readonly text: string;
}

const CHUNK_BYTES = 2 ** 20;
const GZIP_MAGIC = [0x1f, 0x8b];
const PARQUET_MAGIC = [..."PAR1"].map((letter) => letter.charCodeAt(0));

/** Bytes that are already in memory, as a file. */
export function memoryFile(name: string, bytes: Uint8Array): DataFile {
  return { name, size: bytes.byteLength, read: async (offset, length) => bytes.slice(offset, offset + length) };
}

/** Whether the file begins as a parquet file does. */
export function isParquet(file: DataFile): Promise<boolean> {
  return beginsWith(file, PARQUET_MAGIC);
}

/**
 * The text in pieces of about a megabyte, unpacked when it is gzip; a byte-order mark is no part of it.
 * @throws UserError when the bytes are not UTF-8, or the archive is damaged
 */
export async function* textPieces(file: DataFile): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Uint8Array) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw new UserError(`${file.name}: not UTF-8 text; convert it, for example with iconv -t UTF-8`);
    }
  };
  for await (const bytes of (await beginsWith(file, GZIP_MAGIC)) ? unpacked(file) : chunks(file)) yield decode(bytes);
  yield decode();
}

/**
 * Lines of the text, one at a time; only a chunk of the file is in memory.
 * @throws UserError as {@link textPieces} does
 */
export async function* textLines(file: DataFile): AsyncGenerator<NumberedLine> {
  let number = 0;
  let rest = "";
  for await (const piece of textPieces(file)) {
    const lines = (rest + piece).split("\n");
    rest = must(lines.pop(), "the last line");
    for (const text of lines) yield { number: ++number, text };
  }
  if (rest !== "") yield { number: number + 1, text: rest };
}

async function* chunks(file: DataFile): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < file.size; offset += CHUNK_BYTES)
    yield file.read(offset, Math.min(CHUNK_BYTES, file.size - offset));
}

async function* unpacked(file: DataFile): AsyncGenerator<Uint8Array> {
  const source = chunks(file);
  const packed = new ReadableStream<BufferSource>({
    async pull(controller) {
      const next = await source.next();
      if (next.done === true) controller.close();
      else controller.enqueue(new Uint8Array(next.value));
    },
  });
  const reader = packed.pipeThrough(new DecompressionStream("gzip")).getReader();
  for (;;) {
    const part = await reader.read().catch(() => {
      throw new UserError(`${file.name}: a damaged or incomplete gzip file; fetch it again`);
    });
    if (part.done) return;
    yield part.value;
  }
}

async function beginsWith(file: DataFile, magic: readonly number[]): Promise<boolean> {
  if (file.size < magic.length) return false;
  const start = await file.read(0, magic.length);
  return magic.every((byte, index) => start[index] === byte);
}
