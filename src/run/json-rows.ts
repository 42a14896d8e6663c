/** Rows of a JSON Lines file that a command was given. */
import * as fs from "node:fs/promises";
import { UserError } from "../base/errors";

/** One object of the file. */
export interface JsonRow {
  /** File and line, for messages. */
  readonly where: string;
  readonly id: string | number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Reads every row of a file before anything is done with one.
 * @param expected what a row looks like, for messages, such as `{id, text}`
 * @throws UserError with file and line
 */
export async function readJsonRows(file: string, expected: string): Promise<JsonRow[]> {
  try {
    return parseJsonRows(new TextDecoder("utf-8", { fatal: true }).decode(await fs.readFile(file)), file, expected);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof TypeError) throw new UserError(`${file}: not UTF-8 text; convert it, for example with iconv`);
    const reason =
      error instanceof Error && "code" in error && error.code === "ENOENT" ? "no such file" : String(error);
    throw new UserError(`${file}: ${reason}; expected JSON lines of ${expected}`);
  }
}

/** The rows of a text. Empty lines are passed over. @throws UserError with file and line */
export function parseJsonRows(text: string, file: string, expected: string): JsonRow[] {
  const rows = text
    .replace(/^\ufeff/, "")
    .split("\n")
    .flatMap((line, index) => (line.trim() === "" ? [] : [parseRow(line, `${file}: line ${index + 1}`, expected)]));
  if (rows.length === 0) throw new UserError(`${file}: no rows; expected JSON lines of ${expected}`);
  return rows;
}

function parseRow(line: string, where: string, expected: string): JsonRow {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    throw new UserError(`${where}: not JSON; expected one object per line: ${expected}`);
  }
  if (typeof row !== "object" || row === null || Array.isArray(row))
    throw new UserError(`${where}: not an object; expected ${expected}`);
  const fields: Readonly<Record<string, unknown>> = { ...row };
  const { id } = fields;
  if (typeof id !== "string" && typeof id !== "number")
    throw new UserError(`${where}: id is ${JSON.stringify(id) ?? "missing"}; expected a string or a number`);
  return { where, id, fields };
}
