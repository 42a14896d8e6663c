/**
 * The two kinds of errors whose sentence says it all. Anything else is a fault of the program, and is shown with its
 * trace.
 */

/**
 * A mistake that the user can repair: one sentence says what, where, what was expected and what to do. The command line
 * exits with 2.
 */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/**
 * A failure of the machine, of a service or of the run itself that nobody can read more from than its sentence. The
 * command line exits with 1.
 */
export class ExpectedError extends Error {
  override readonly name: string = "ExpectedError";
}

/** What an error says, whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code of an error, such as `ENOENT`; undefined where it has none. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
