/** Texts that a command is given by the name of a file, and those that it writes. */
import { readFile, writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { errorCode, reasonOf, UserError } from "../base/errors";
import { type JsonObject, readJsonLines } from "../base/json";

/** An object of a JSON Lines file in which every row has a name of its own. */
export interface IdentifiedRow {
  /** File and line, for messages. */
  readonly where: string;
  readonly id: string | number;
  readonly fields: JsonObject;
}

/**
 * @param expected ends the sentence about a file that cannot be read: `a text file`
 * @throws UserError when there is no such file, or it is no text
 */
export async function readTextFile(file: string, expected: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const reason = errorCode(error) === "ENOENT" ? "no such file" : reasonOf(error);
    throw new UserError(`${file}: ${reason}; expected ${expected}`);
  }
  try {
    // Takes off the byte-order mark that editors on Windows write.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${file}: not UTF-8 text; convert it, for example with iconv`);
  }
}

/** {@link readTextFile}, where `-` is standard input. */
export async function readTextInput(file: string, expected: string): Promise<string> {
  return file === "-" ? text(process.stdin) : readTextFile(file, expected);
}

/** @param option that named the file: `--out` @throws UserError when it cannot be written */
export async function writeTextFile(option: string, file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (error) {
    throw new UserError(`${option} ${file}: ${reasonOf(error)}`);
  }
}

/**
 * Every row of a JSON Lines text, before anything is done with one.
 *
 * @param expected what a row looks like, for messages, such as `{id, text}`
 * @throws UserError with file and line
 */
export function identifiedRows(text: string, file: string, expected: string): IdentifiedRow[] {
  return readJsonLines(text, file, expected).map(({ where, row }) => {
    const { id } = row;
    if (typeof id === "string" || typeof id === "number") return { where, id, fields: row };
    throw new UserError(`${where}: id is ${shown(id)}; expected a string or a number`);
  });
}

/** A field that is not what was expected. @param expected such as `a string` */
export function wrongField({ where }: IdentifiedRow, name: string, value: unknown, expected: string): UserError {
  return new UserError(`${where}: ${name} is ${shown(value)}; expected ${expected}`);
}

function shown(value: unknown): string {
  return value === undefined ? "missing" : JSON.stringify(value);
}
