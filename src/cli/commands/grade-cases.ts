/** The rows of `grade --in`: predictions with their gold answers. */
import { UserError } from "../../base/errors";
import { parseJsonRows } from "../../run/json-rows";

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
  return parseJsonRows(text, file, EXPECTED).map(({ id, where, fields }) => {
    const { prediction, gold, verdict } = fields;
    const wrong = (name: string, value: unknown, what: string) =>
      new UserError(
        `${where}: ${name} is ${value === undefined ? "missing" : JSON.stringify(value)}; expected ${what}`,
      );
    if (typeof prediction !== "string") throw wrong("prediction", prediction, "a string: a response or an answer");
    if (typeof gold !== "string" && !isTexts(gold))
      throw wrong("gold", gold, "a string, or a list of strings of which each is right");
    return typeof verdict === "boolean" ? { id, prediction, gold, verdict } : { id, prediction, gold };
  });
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string");
}
