/** The rows of `tool run --batch`: programs with their limits, and what became of them. */
import { UserError } from "../../base/errors";
import { type JsonRow, parseJsonRows } from "../../run/json-rows";
import type { PythonCall, PythonResult } from "../../sandbox/engine";
import { checkCall } from "../../sandbox/engine";

/** A row of the batch file. */
export interface ToolCase {
  readonly id: string | number;
  readonly call: PythonCall;
}

const FIELDS = ["id", "code", "timeoutMs", "memoryMb", "maxOutputBytes", "seed"];
const EXPECTED = "{id, code, timeoutMs?, memoryMb?, maxOutputBytes?, seed?}";

/**
 * Reads a batch file, all of it before anything runs. Empty lines are passed over, and so are fields of other names.
 *
 * @param file name for messages
 * @param limits of rows that name none
 * @throws UserError with file, line and what was expected
 */
export function readCases(text: string, file: string, limits: Omit<PythonCall, "code">): ToolCase[] {
  return parseJsonRows(text, file, EXPECTED).map((row) => readCase(row, limits));
}

function readCase({ id, where, fields }: JsonRow, limits: Omit<PythonCall, "code">): ToolCase {
  for (const name of Object.keys(fields)) {
    const meant = FIELDS.find((field) => field !== name && plain(field) === plain(name));
    if (meant !== undefined) throw new UserError(`${where}: unknown field ${JSON.stringify(name)}; write ${meant}`);
  }
  const { code, timeoutMs, memoryMb, maxOutputBytes, seed } = fields;
  const wrong = (name: string, value: unknown, what: string) =>
    new UserError(`${where}: ${name} is ${value === undefined ? "missing" : JSON.stringify(value)}; expected ${what}`);
  if (typeof code !== "string") throw wrong("code", code, "Python source text");
  if (seed !== undefined && typeof seed !== "string" && typeof seed !== "number")
    throw wrong("seed", seed, "a string or a number");
  const limit = (name: string, value: unknown, standard: number): number => {
    if (value === undefined) return standard;
    if (typeof value !== "number") throw wrong(name, value, "a number");
    return value;
  };
  const call = {
    code,
    timeoutMs: limit("timeoutMs", timeoutMs, limits.timeoutMs),
    memoryMb: limit("memoryMb", memoryMb, limits.memoryMb),
    maxOutputBytes: limit("maxOutputBytes", maxOutputBytes, limits.maxOutputBytes),
    seed: seed === undefined ? limits.seed : String(seed),
  };
  try {
    checkCall(call);
  } catch (error) {
    throw new UserError(`${where}: ${error instanceof Error ? error.message : error}`);
  }
  return { id, call };
}

/** A field's name in any spelling: `timeout_ms` is meant as `timeoutMs`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, "");
}

/** A row of the answer. */
export function resultRow(id: string | number, { status, stdout, stderr, ms, truncated }: PythonResult) {
  return { id, status, stdout, stderr, ms: Math.round(ms * 1000) / 1000, truncated };
}
