/** A mistake the user can repair. The command line prints the message alone, without a stack, and exits with 2. */
export class UserError extends Error {
  override readonly name = "UserError";
}
