import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { text } from "node:stream/consumers";
import { Command, Option } from "commander";
import { UserError } from "../../base/errors";
import { DEFAULT_LIMITS, type PythonEngine, type PythonResult } from "../../sandbox/engine";
import { extractCode } from "../../sandbox/observation";
import {
  type ObservationPolicy,
  observationPolicy,
  type PolicyName,
  policyNames,
  preparedFor,
} from "../../sandbox/policies";
import { type CliIo, jsonLine } from "../io";
import { Style } from "../render/style";
import { duration, plainText } from "../render/text";
import type { CommandContext } from "./context";
import { readCases, resultRow } from "./tool-cases";
import { addEngineOptions, type EngineFlags, engineRequest, number } from "./tool-options";

interface RunFlags extends EngineFlags {
  readonly code?: string;
  readonly batch?: string;
  readonly workers?: number;
  readonly toolPolicy: PolicyName;
  readonly json?: boolean;
}

interface Program {
  readonly name: string;
  readonly code: string;
}

const EXAMPLES = `
Examples:
  zerotir tool run --code "print(47*86+5)"
  zerotir tool run program.py other.py --timeout 2 --json
  zerotir tool run --batch cases.jsonl --json > results.jsonl

A batch has rows {id, code, timeoutMs?, memoryMb?, maxOutputBytes?, seed?}. Exit code 1: a program did not end well;
of a batch it is 0 once every row has its result.`;

/** `zerotir tool run`: programs in the sandbox, as a model's blocks would run, each in a fresh interpreter. */
export function toolRunCommand({ io, runners, finish }: CommandContext): Command {
  const about = "runs programs in the sandbox and shows what a model would read";
  const command = new Command("run")
    .summary(about)
    .description(about)
    .argument("[files...]", "Python files, or - for standard input")
    .option("--code <text>", "the program itself")
    .option("--batch <file>", "JSON lines of programs; their results are JSON lines, in the same order")
    .addOption(
      new Option("--workers <n>", "programs run at once (default: one per core, at most 4)").argParser(
        number(1, 256, true),
      ),
    )
    .addOption(
      new Option("--tool-policy <name>", "how the output is cut and framed").choices(policyNames).default("zerotir"),
    );
  return addEngineOptions(command)
    .option("--json", "JSON on standard output, one line per program, all else on standard error")
    .addHelpText("after", EXAMPLES)
    .action(async (files: readonly string[], flags: RunFlags) => {
      const given = [files.length > 0, flags.code !== undefined, flags.batch !== undefined];
      if (given.filter(Boolean).length !== 1)
        throw new UserError(
          'tool run needs either a file (or several, or - for standard input), --code "print(1)", or --batch cases.jsonl',
        );
      const workers = flags.workers ?? null;
      if (flags.batch !== undefined) {
        const rows = readCases(await textOf(flags.batch), flags.batch, { ...limitsOf(flags), seed: "0" });
        const engine = await runners.openTool(engineRequest(flags, workers));
        await closing(engine, async () => {
          // A queue longer than the workers only holds texts; the file is in memory anyway.
          const results = rows.map(({ call }) => engine.run(call));
          // One that rejects is awaited below, but perhaps later than others.
          for (const result of results) result.catch(() => {});
          for (const [i, { id }] of rows.entries()) {
            const result = await results[i];
            if (result !== undefined) showRow(resultRow(id, result), flags.json === true, io);
          }
        });
        return finish(0);
      }
      const programs = await programsOf(files, flags.code);
      const engine = await runners.openTool(
        engineRequest(flags, workers ?? Math.min(programs.length, availableParallelism(), 4)),
      );
      const policy = observationPolicy(flags.toolPolicy);
      const results = await closing(engine, () =>
        Promise.all(
          programs.map(({ code }) =>
            preparedFor(engine, policy).run({ ...limitsOf(flags), code: extractCode(code), seed: "0" }),
          ),
        ),
      );
      for (const [i, result] of results.entries()) {
        const name = programs.length > 1 ? programs[i]?.name : undefined;
        showProgram(name, result, policy, flags.json === true, io);
      }
      finish(results.every(({ status }) => status === "ok") ? 0 : 1);
    });
}

function limitsOf({ timeout, memoryMb }: EngineFlags) {
  return { timeoutMs: timeout * 1000, memoryMb, maxOutputBytes: DEFAULT_LIMITS.maxOutputBytes };
}

/** Closes the engine however the work ends. */
async function closing<Value>(engine: PythonEngine, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } finally {
    await engine.close();
  }
}

function showRow(row: ReturnType<typeof resultRow>, json: boolean, io: CliIo): void {
  if (json) {
    jsonLine(io.stdout, row);
    return;
  }
  const id = plainText(String(row.id)).replaceAll("\n", " ");
  io.stdout.write(`${id}  ${row.status}, ${duration(row.ms / 1000)}${row.truncated ? ", output cut" : ""}\n`);
}

/** @param name shown when there are several programs */
function showProgram(
  name: string | undefined,
  result: PythonResult,
  policy: ObservationPolicy,
  json: boolean,
  io: CliIo,
): void {
  const { status, stdout, stderr, ms, truncated } = result;
  const observation = policy.observe(result);
  if (json) {
    const file = name === undefined ? {} : { file: name };
    jsonLine(io.stdout, { ...file, status, stdout, stderr, observation, milliseconds: ms, truncated });
    return;
  }
  const style = new Style(io.stderr, io.env);
  if (name !== undefined) io.stdout.write(`${plainText(name)}\n`);
  io.stdout.write(plainText(observation));
  const verdict = `${status}, ${duration(ms / 1000)}${truncated ? ", output cut" : ""}`;
  io.stderr.write(`${style.paint(status === "ok" ? "green" : "red", verdict)}\n`);
}

async function programsOf(files: readonly string[], code: string | undefined): Promise<Program[]> {
  if (code !== undefined) return [{ name: "--code", code }];
  return Promise.all(files.map(async (name) => ({ name, code: await textOf(name) })));
}

async function textOf(file: string): Promise<string> {
  if (file === "-") return text(process.stdin);
  return readFile(file, "utf8").catch(() => {
    throw new UserError(`${file}: cannot be read; expected a text file`);
  });
}
