/** What of `process` is needed; a test passes its own. */
export interface Interruptible {
  on(signal: "SIGINT" | "SIGTERM", handler: () => void): unknown;
  exit(code: number): void;
}

/**
 * The first Ctrl-C (or termination request) is passed to a command that can end in order; the second, and the first
 * of any other command, ends the process at once with the shell's code for it (128 + the signal's number).
 *
 * @param isGraceful whether the command can end in order
 * @param say is given one line when the command goes on for a while
 * @returns the signal for the command
 */
export function interruptSignal(isGraceful: boolean, target: Interruptible, say: (line: string) => void): AbortSignal {
  const stop = new AbortController();
  const handle = (code: number) => () => {
    if (stop.signal.aborted || !isGraceful) target.exit(code);
    else {
      say("Stopping in order; press Ctrl-C again to quit at once.");
      stop.abort();
    }
  };
  target.on("SIGINT", handle(130));
  target.on("SIGTERM", handle(143));
  return stop.signal;
}
