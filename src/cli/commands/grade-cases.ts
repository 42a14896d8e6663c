/** The rows of `grade --in`: predictions with their gold answers. */
import { UserError } from "../../model/user-error";

/** A row of the file. */
export interface GradeCase {
  readonly id: string | number;
  readonly prediction: string;
  readonly gold: string | readonly string[];
  /** What somebody else said of the row, to be compared with. */
  readonly verdict?: boolean;
}

const EXPECTED = "{id, prediction, gold}";

/**
 * Reads a file of rows, all of it before anything is graded. Empty lines are passed over, and so are further fields.
 *
 * @param file name for messages
 * @throws UserError with file, line and what was expected
 */
export function readGradeCases(text: string, file: string): GradeCase[] {
  const cases = text
    .replace(/^\ufeff/, "")
    .split("\n")
    .flatMap((line, index): GradeCase[] => (line.trim() === "" ? [] : [readCase(line, `${file}: line ${index + 1}`)]));
  if (cases.length === 0) throw new UserError(`${file}: no rows; expected JSON lines of ${EXPECTED}`);
  return cases;
}

function readCase(line: string, where: string): GradeCase {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    throw new UserError(`${where}: not JSON; expected one object per line: ${EXPECTED}`);
  }
  if (typeof row !== "object" || row === null || Array.isArray(row))
    throw new UserError(`${where}: not an object; expected ${EXPECTED}`);
  const { id, prediction, gold, verdict }: Readonly<Record<string, unknown>> = { ...row };
  const wrong = (name: string, value: unknown, what: string) =>
    new UserError(`${where}: ${name} is ${value === undefined ? "missing" : JSON.stringify(value)}; expected ${what}`);
  if (typeof id !== "string" && typeof id !== "number") throw wrong("id", id, "a string or a number");
  if (typeof prediction !== "string") throw wrong("prediction", prediction, "a string: a response or an answer");
  if (typeof gold !== "string" && !isTexts(gold))
    throw wrong("gold", gold, "a string, or a list of strings of which each is right");
  return typeof verdict === "boolean" ? { id, prediction, gold, verdict } : { id, prediction, gold };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string");
}
