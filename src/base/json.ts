/** JSON from outside: what it is, and rows of JSON Lines with the place where each stands. */
import { UserError } from "./errors";

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is an object with named fields: no list, no null. */
export function isRecord(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object of a JSON Lines text, and where it stands: `rows.jsonl, line 3`. */
export interface LocatedRow {
  readonly where: string;
  readonly row: JsonObject;
}

/**
 * The objects of a JSON Lines text. Empty lines and a byte-order mark are passed over.
 *
 * @param expected what a row looks like, for messages: `one JSON object`, `{"text": ...}`
 * @throws UserError at a line that is not a JSON object, and when there is none
 */
export function readJsonLines(text: string, file: string, expected = "one JSON object"): LocatedRow[] {
  const rows = text
    .replace(/^\ufeff/, "")
    .split("\n")
    .flatMap((line, index): LocatedRow[] => {
      if (line.trim() === "") return [];
      const where = `${file}, line ${index + 1}`;
      const row = parsedLine(line, where, expected);
      if (!isRecord(row)) throw new UserError(`${where}: not a JSON object; expected ${expected} on each line`);
      return [{ where, row }];
    });
  if (rows.length === 0) throw new UserError(`${file}: holds no row; expected ${expected} on each line`);
  return rows;
}

function parsedLine(line: string, where: string, expected: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new UserError(`${where}: not JSON; expected ${expected} on each line`);
  }
}
