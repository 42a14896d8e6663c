/** Bad input by the user: the command line prints `message` without a stack trace and exits 2. */
export class UserError extends Error {
  override readonly name = "UserError";
}
