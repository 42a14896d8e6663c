/** The built program as a child process. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "../..");

export interface Outcome {
  /** Exit code; null when a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of `--json`. */
export type JsonLine = Readonly<Record<string, unknown>>;

export interface Settings {
  /** Working directory. */
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  onStart?(child: ChildProcess): void;
  /** Is given each line of standard output as it comes. */
  onLine?(line: string, child: ChildProcess): void;
}

/** Runs `zerotir` with these arguments to its end. */
export async function zerotir(
  argv: readonly string[],
  { cwd, env, input, onStart, onLine }: Settings,
): Promise<Outcome> {
  const child = spawn(process.execPath, [join(root, "dist/cli.js"), ...argv], {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: "pipe",
  });
  onStart?.(child);
  const lines: string[] = [];
  let stderr = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    onLine?.(line, child);
  });
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  child.stdin.end(input ?? "");
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { code, stdout: lines.map((line) => `${line}\n`).join(""), stderr };
}

/** Every line as an object. @throws SyntaxError at a line that is anything else */
export function jsonLines(stdout: string): JsonLine[] {
  return stdout
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const value: unknown = JSON.parse(line);
      if (typeof value !== "object" || value === null) throw new SyntaxError(`no object: ${line}`);
      return { ...value };
    });
}
