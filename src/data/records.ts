/** The records of a data file, whatever its format: JSONL, one JSON document, either of them as gzip, or parquet. */

import { UserError } from "../base/errors";
import { isRecord } from "../base/json";
import { at } from "../base/must";
import { type DataFile, isParquet, textLines, textPieces } from "./data-file";
import { parquetRecords } from "./parquet";

/** One record as it stands in the file, and where: `gsm8k.jsonl, line 3`. */
export interface LocatedRecord {
  readonly where: string;
  readonly record: unknown;
}

/** V8's longest string is a little above half a billion units; a document has to be parsed whole. */
const LONGEST_DOCUMENT = 500_000_000;

/**
 * Reads a file from front to back. JSONL and parquet are read in parts. A file that ends in `.json` may be one
 * document, which is an array or an object with the array under `data`, or JSONL under another name.
 * @param columns the only columns to read of a parquet file; undefined for all
 * @throws UserError naming file and place
 */
export async function* readRecords(file: DataFile, columns?: readonly string[]): AsyncGenerator<LocatedRecord> {
  if (await isParquet(file)) {
    let row = 0;
    for await (const record of parquetRecords(file, columns)) yield { where: `${file.name}, row ${++row}`, record };
    return;
  }
  if (/\.json(\.gz)?$/i.test(file.name)) {
    const document = await readDocument(file);
    if (document !== undefined) {
      for (const [index, record] of document.entries()) yield { where: `${file.name}, record ${index + 1}`, record };
      return;
    }
  }
  for await (const { number, text } of textLines(file)) {
    if (text.trim() === "") continue;
    const where = `${file.name}, line ${number}`;
    yield { where, record: parseLine(text, where) };
  }
}

function parseLine(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UserError(`${where}: not JSON; expected {"prompt": ..., "answer": ...} on each line`);
  }
}

/** The records of a JSON document, or undefined when the file is JSONL. */
async function readDocument(file: DataFile): Promise<unknown[] | undefined> {
  const pieces: string[] = [];
  let length = 0;
  for await (const piece of textPieces(file)) {
    length += piece.length;
    if (length > LONGEST_DOCUMENT)
      throw new UserError(
        `${file.name}: too large for one JSON document; convert it to JSONL, one record on each line`,
      );
    pieces.push(piece);
  }
  const text = pieces.join("");
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    if (firstLineIsJson(text)) return undefined;
    throw new UserError(`${file.name}: not JSON; expected an array of records, or one record on each line`);
  }
  if (Array.isArray(document)) return document;
  if (isRecord(document) && Array.isArray(document.data)) return document.data;
  // One record on one line is JSONL of one row.
  if (!text.trim().includes("\n")) return undefined;
  throw new UserError(`${file.name}: expected an array of records, or an object with such an array under "data"`);
}

function firstLineIsJson(text: string): boolean {
  const line = at(text.trimStart().split("\n", 1), 0);
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
