/**
 * Rows of a parquet file, one row group at a time. hyparquet and its decompressors are loaded when the first such file
 * is opened.
 */
import type { AsyncBuffer } from "hyparquet";
import { reasonOf, UserError } from "../base/errors";
import { isRecord } from "../base/json";
import type { DataFile } from "./data-file";

/** A row group of usual files has at most this many rows; larger ones are read in parts. */
const ROWS_AT_ONCE = 8192;

/**
 * @param columns the only columns to read, where the file has them; undefined for all
 * @throws UserError when the file is damaged or uses what the reader does not know
 */
export async function* parquetRecords(
  file: DataFile,
  columns?: readonly string[],
): AsyncGenerator<Record<string, unknown>> {
  const { parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const buffer: AsyncBuffer = {
    byteLength: file.size,
    async slice(start, end = file.size) {
      const from = start < 0 ? file.size + start : start;
      const bytes = await file.read(from, Math.max(0, Math.min(end, file.size) - from));
      return new Uint8Array(bytes).buffer;
    },
  };
  const damaged = (error: unknown): never => {
    throw new UserError(`${file.name}: cannot be read as parquet (${reasonOf(error)}); fetch it again`);
  };
  const metadata = await parquetMetadataAsync(buffer).catch(damaged);
  const present = new Set(metadata.schema.map(({ name }) => name));
  const wanted = columns?.filter((name) => present.has(name));
  let first = 0;
  for (const group of metadata.row_groups) {
    const end = first + Number(group.num_rows);
    for (; first < end; first = Math.min(end, first + ROWS_AT_ONCE)) {
      const rows = await parquetReadObjects({
        file: buffer,
        metadata,
        compressors,
        rowStart: first,
        rowEnd: Math.min(end, first + ROWS_AT_ONCE),
        ...(wanted === undefined ? {} : { columns: wanted }),
      }).catch(damaged);
      for (const row of rows) yield Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(value)]));
    }
  }
}

/** Parquet values as JSON has them: 64-bit integers as numbers where exact, else as decimal text; times as ISO 8601. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  // Bytes, and numbers of a list of one type.
  if (ArrayBuffer.isView(value)) return Object.values(value).map(plain);
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
  return value;
}
