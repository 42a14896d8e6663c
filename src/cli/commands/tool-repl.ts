import { createInterface } from "node:readline";
import { Command } from "commander";
import { DEFAULT_LIMITS, type PythonEngine } from "../../sandbox/engine";
import { extractCode, observationText } from "../../sandbox/observation";
import { type CliIo, jsonLine } from "../io";
import { Style } from "../render/style";
import { duration, plainText } from "../render/text";
import type { CommandContext } from "./context";
import { addEngineOptions, type EngineFlags, engineRequest } from "./tool-options";

interface ReplFlags extends EngineFlags {
  readonly json?: boolean;
}

const WELCOME =
  "Each block runs in a fresh interpreter: nothing is kept from one to the next. An empty line runs the block, Ctrl-D ends.";

/** `zerotir tool repl`: blocks typed one after the other, run as a model's blocks would be. */
export function toolReplCommand({ io, runners, finish }: CommandContext): Command {
  const about = "runs typed blocks of Python, each in a fresh interpreter";
  return addEngineOptions(new Command("repl").summary(about).description(about))
    .option("--json", "one JSON object per block on standard output, all else on standard error")
    .addHelpText("after", "\nExamples:\n  zerotir tool repl\n  zerotir tool repl --timeout 2 --json < blocks.txt")
    .action(async (flags: ReplFlags) => {
      const engine = await runners.openTool(engineRequest(flags, 1));
      try {
        await repl(createInterface({ input: process.stdin }), engine, flags, io);
      } finally {
        await engine.close();
      }
      finish(0);
    });
}

/** Runs the blocks that the lines form, each when it ends: results on standard output, all else on standard error. */
export async function repl(
  lines: AsyncIterable<string>,
  engine: Pick<PythonEngine, "run">,
  { timeout, memoryMb, json }: Pick<ReplFlags, "timeout" | "memoryMb" | "json">,
  io: CliIo,
): Promise<void> {
  const style = new Style(io.stderr, io.env);
  let calls = 0;
  const run = async (block: readonly string[]) => {
    const code = extractCode(block.join("\n"));
    if (code === "") return;
    const result = await engine.run({
      ...DEFAULT_LIMITS,
      timeoutMs: timeout * 1000,
      memoryMb,
      code,
      seed: String(calls++),
    });
    if (json === true) {
      const { status, stdout, stderr, ms, truncated } = result;
      jsonLine(io.stdout, { status, stdout, stderr, ms, truncated });
      return;
    }
    const text = plainText(observationText(result)).trimEnd();
    if (text !== "") io.stdout.write(`${text}\n`);
    const verdict = `${result.status}, ${duration(result.ms / 1000)}${result.truncated ? ", output cut" : ""}`;
    io.stderr.write(`${style.paint(result.status === "ok" ? "green" : "red", verdict)}\n`);
  };
  io.stderr.write(`${WELCOME}\n>>> `);
  let block: string[] = [];
  for await (const line of lines) {
    if (line.trim() !== "") block.push(line);
    else {
      await run(block);
      block = [];
    }
    io.stderr.write(block.length === 0 ? ">>> " : "... ");
  }
  await run(block);
  io.stderr.write("\n");
}
