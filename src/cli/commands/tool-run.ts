import { Option } from "commander";
import { UserError } from "../../base/errors";
import type { ProgramResult } from "../../run/tool";
import type { PythonResult } from "../../sandbox/engine";
import { type PolicyName, policyNames } from "../../sandbox/policies";
import type { CliCommand } from "../command";
import { type CliIo, jsonLine } from "../io";
import { Style } from "../render/style";
import { plainText } from "../render/text";
import { verdictOf } from "../render/tool";
import { addEngineOptions, type EngineFlags, toolRequest, workersOption } from "./tool-options";

interface Flags extends EngineFlags {
  readonly code?: string;
  readonly batch?: string;
  readonly toolPolicy: PolicyName;
  readonly json?: boolean;
}

const EXAMPLES = `  zerotir tool run --code "print(47*86+5)"
  zerotir tool run program.py other.py --timeout 2 --json
  zerotir tool run --batch cases.jsonl --json > results.jsonl

A batch has rows {id, code, timeoutMs?, memoryMb?, maxOutputBytes?, seed?}. Exit code 1: a program did not end well;
of a batch it is 0 once every row has its result.`;

/** `zerotir tool run`: programs in the sandbox, as a model's blocks would run, each in a fresh interpreter. */
export const run: CliCommand = {
  summary: "runs programs in the sandbox and shows what a model would read",
  examples: EXAMPLES,
  build(command, { io, finish }) {
    command
      .argument("[files...]", "Python files, or - for standard input")
      .option("--code <text>", "the program itself")
      .option("--batch <file>", "JSON lines of programs; their results are JSON lines, in the same order")
      .addOption(workersOption())
      .addOption(
        new Option("--tool-policy <name>", "how the output is cut and framed").choices(policyNames).default("zerotir"),
      );
    addEngineOptions(command)
      .option("--json", "JSON on standard output, one line per program, all else on standard error")
      .action(async (files: readonly string[], flags: Flags) => {
        const { code, batch, toolPolicy, json = false } = flags;
        const given = [files.length > 0, code !== undefined, batch !== undefined];
        if (given.filter(Boolean).length !== 1)
          throw new UserError(
            'tool run needs either a file (or several, or - for standard input), --code "print(1)", or --batch cases.jsonl',
          );
        const { readPrograms, runBatch, runPrograms } = await import("../../run/tool");
        if (batch !== undefined) {
          await runBatch(batch, toolRequest(flags), (id, result) => showRow(id, result, json, io));
          return finish(0);
        }
        const programs = code === undefined ? await readPrograms(files) : [{ name: "--code", code }];
        const results = await runPrograms(programs, toolPolicy, toolRequest(flags));
        for (const result of results) showProgram(result, programs.length > 1, json, io);
        finish(results.every(({ status }) => status === "ok") ? 0 : 1);
      });
  },
};

function showRow(id: string | number, result: PythonResult, json: boolean, io: CliIo): void {
  const { status, stdout, stderr, truncated } = result;
  if (json) {
    jsonLine(io.stdout, { id, status, stdout, stderr, ms: Math.round(result.ms * 1000) / 1000, truncated });
    return;
  }
  io.stdout.write(`${plainText(String(id)).replaceAll("\n", " ")}  ${verdictOf(result)}\n`);
}

/** @param isNamed whether there are several programs, which are told apart by their names */
function showProgram(result: ProgramResult, isNamed: boolean, json: boolean, io: CliIo): void {
  const { name, status, stdout, stderr, observation, ms, truncated } = result;
  if (json) {
    const file = isNamed ? { file: name } : {};
    jsonLine(io.stdout, { ...file, status, stdout, stderr, observation, milliseconds: ms, truncated });
    return;
  }
  if (isNamed) io.stdout.write(`${plainText(name)}\n`);
  io.stdout.write(plainText(observation));
  io.stderr.write(`${new Style(io.stderr, io.env).paint(status === "ok" ? "green" : "red", verdictOf(result))}\n`);
}
