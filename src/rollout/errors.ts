/** A mistake in what the user asked for: one sentence that says what is wrong and what to change. */
export class UserError extends Error {
  override readonly name = "UserError";
}
