/** `grade`: verdicts on predictions, each beside its gold answer. */
import { type Verdict, type VerifyOptions, verifyAnswer } from "../reward/verify";
import { identifiedRows, readTextInput, writeTextFile, wrongField } from "./text-files";

/** A prediction to be judged. */
export interface GradeCase {
  readonly id: string | number;
  /** A whole response or a bare answer. */
  readonly prediction: string;
  /** The right answer, or several of which each is right. */
  readonly gold: string | readonly string[];
  /** What somebody else said of the row, to be compared with. */
  readonly verdict?: boolean;
}

export interface Graded extends Verdict {
  readonly row: GradeCase;
}

const EXPECTED = "{id, prediction, gold}";

/**
 * Reads JSON lines, all of them before anything is graded. Empty lines are passed over, and so are further fields.
 *
 * @param file `-` for standard input
 * @throws UserError with file, line and what was expected
 */
export async function readGradeCases(file: string): Promise<GradeCase[]> {
  return identifiedRows(await readTextInput(file, `JSON lines of ${EXPECTED}`), file, EXPECTED).map((row) => {
    const { prediction, gold, verdict } = row.fields;
    if (typeof prediction !== "string")
      throw wrongField(row, "prediction", prediction, "a string: a response or an answer");
    if (typeof gold !== "string" && !isTexts(gold))
      throw wrongField(row, "gold", gold, "a string, or a list of strings of which each is right");
    return { id: row.id, prediction, gold, ...(typeof verdict === "boolean" && { verdict }) };
  });
}

export function grade(rows: readonly GradeCase[], options: VerifyOptions): Graded[] {
  return rows.map((row) => ({ row, ...verifyAnswer(row.prediction, row.gold, options) }));
}

/** A verdict as a line of JSON has it. */
export function verdictLine({ row, verdict, extracted }: Graded) {
  return { id: row.id, verdict, extracted };
}

/** @throws UserError when the file cannot be written */
export function writeVerdicts(file: string, graded: readonly Graded[]): Promise<void> {
  return writeTextFile("--out", file, graded.map((each) => `${JSON.stringify(verdictLine(each))}\n`).join(""));
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string");
}
