/** One end of the program's text: standard output or standard error. */
export interface Output {
  write(text: string): void;
  /** Whether a person may be watching a terminal that can move its cursor. */
  readonly isTerminal: boolean;
  /** Width in characters. */
  columns(): number;
}

/** What a command may touch of the world around it; a test passes its own. */
export interface CliIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The process's own streams. */
export function processIo(signal: AbortSignal): CliIo {
  const output = (stream: NodeJS.WriteStream): Output => ({
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY === true && process.env.TERM !== "dumb",
    columns: () => stream.columns ?? 100,
  });
  // A reader that has gone, as in `zerotir ... | head`, is no failure.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  return { stdout: output(process.stdout), stderr: output(process.stderr), env: process.env, signal };
}

/** Writes one value as a line of JSON. */
export function jsonLine(output: Output, value: object): void {
  output.write(`${JSON.stringify(value)}\n`);
}
