import { Command, CommanderError } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { ExpectedError, UserError } from "../base/errors";
import { nearest } from "../base/nearest";
import type { CommandContext } from "./commands/context";
import { dataCommand } from "./commands/data";
import { evalCommand } from "./commands/eval";
import { exportCommand } from "./commands/export";
import { exportMetricsCommand } from "./commands/export-metrics";
import { gradeCommand } from "./commands/grade";
import { parityCommand } from "./commands/parity";
import { planCommand } from "./commands/plan";
import { sampleCommand } from "./commands/sample";
import { statsCommand } from "./commands/stats";
import { tokenizeCommand } from "./commands/tokenize";
import { toolCommand } from "./commands/tool";
import { benchCommand, doctorCommand } from "./commands/tools";
import { dpoCommand, pretrainCommand, sftCommand, trainCommand } from "./commands/train";
import { viewCommand } from "./commands/view";
import { SECTIONS } from "./config-file";
import { type CliIo, jsonLine } from "./io";
import { splitOverrides } from "./options";
import { plainText } from "./render/text";
import type { Runners } from "./runners";

/** Exit codes: done; the run failed or was stopped; the user made a mistake. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

const EXAMPLES = `
Examples:
  zerotir doctor                     is there a GPU, and what can it do
  zerotir train --preset nano        the shipped model learns to use Python, in minutes
  zerotir train --help               every option

Exit codes: 0 done, 1 the run failed or was stopped, 2 a mistake in options or input.`;

/**
 * The whole command line.
 *
 * @param argv arguments after the program's name
 * @returns the exit code
 */
export async function runCli(argv: readonly string[], io: CliIo, runners: Runners): Promise<number> {
  let exitCode: number = EXIT.ok;
  const { rest, overrides } = splitOverrides(argv, SECTIONS);
  const program = buildProgram({
    io,
    runners,
    overrides,
    finish: (code) => {
      exitCode = code;
    },
  });
  try {
    const command = program.commands.find((candidate) => candidate.name() === rest[0])?.name();
    const stray = overrides.find((override) => override.command !== command);
    if (stray !== undefined && command !== undefined)
      throw new UserError(
        `--${stray.command}.${stray.name} does not belong to ${command}; use --${command}.${stray.name}`,
      );
    await program.parseAsync(rest, { from: "user" });
    return exitCode;
  } catch (error) {
    return report(error, program, rest, io);
  }
}

function buildProgram(context: CommandContext): Command {
  const { io } = context;
  const program = new Command("zerotir")
    .description("Reinforcement learning of tool-integrated reasoning on WebGPU.")
    .version(manifest.version, "-v, --version")
    .addHelpText("after", EXAMPLES);
  for (const make of [
    trainCommand,
    pretrainCommand,
    sftCommand,
    dpoCommand,
    sampleCommand,
    evalCommand,
    exportCommand,
    exportMetricsCommand,
    gradeCommand,
    dataCommand,
    viewCommand,
    statsCommand,
    doctorCommand,
    benchCommand,
    planCommand,
    parityCommand,
    tokenizeCommand,
    toolCommand,
  ])
    program.addCommand(make(context));
  const prepare = (command: Command) => {
    command
      .exitOverride()
      .allowExcessArguments(false)
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        // What commander would say of a mistake is said by `report`.
        writeErr: () => undefined,
        getOutHelpWidth: () => Math.min(io.stdout.columns(), 120),
      });
    command.commands.forEach(prepare);
  };
  prepare(program);
  return program;
}

function report(error: unknown, program: Command, argv: readonly string[], io: CliIo): number {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  const isUsage = error instanceof CommanderError;
  if (isUsage && error.code === "commander.help") {
    io.stderr.write(named(program, argv).helpInformation());
    return EXIT.usage;
  }
  const message = isUsage ? usageMessage(error, program, argv) : messageOf(error);
  const line = plainText(message).replaceAll("\n", " ");
  if (argv.includes("--json")) jsonLine(io.stdout, { event: "error", message: line });
  if (isUsage || isUserError(error)) {
    io.stderr.write(`error: ${line}\n`);
    return EXIT.usage;
  }
  // Anything else is a fault of the program or the machine, and its trace is what a report of it needs.
  const isExpected = error instanceof ExpectedError || (error instanceof Error && EXPECTED_FAILURES.has(error.name));
  io.stderr.write(`error: ${isExpected || !(error instanceof Error) ? line : plainText(error.stack ?? line)}\n`);
  return EXIT.failed;
}

/** Other errors, by name, whose message says it all: the run was stopped or no longer learns. */
const EXPECTED_FAILURES = new Set(["AbortError", "DivergedError"]);

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "AbortError" ? "stopped before the end, with nothing to save" : error.message;
}

function isUserError(error: unknown): boolean {
  return error instanceof Error && error.name === "UserError";
}

/** The command that the arguments name, as deep as they go. */
function named(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const argument of argv) {
    const next = command.commands.find((candidate) => candidate.name() === argument);
    if (next === undefined) break;
    command = next;
  }
  return command;
}

/** Commander's message in one line; where a name is unknown, always with the nearest valid one. */
function usageMessage(error: CommanderError, program: Command, argv: readonly string[]): string {
  const command = named(program, argv);
  const path = command === program ? "zerotir" : `zerotir ${argv.slice(0, depth(command)).join(" ")}`;
  const unknown = /'([^']*)'/.exec(error.message)?.[1];
  if (error.code === "commander.unknownOption" && unknown !== undefined) {
    const flags = command.options.flatMap(({ long, hidden }) =>
      long === undefined || long === null || hidden ? [] : [long],
    );
    if (!/^--?[a-z]/i.test(unknown))
      return `unknown option ${unknown} of ${path}; what begins with - and is no option goes after --`;
    return `unknown option ${unknown} of ${path}; the nearest one is ${nearest(unknown, [...flags, "--help"])}`;
  }
  if (error.code === "commander.unknownCommand" && unknown !== undefined)
    return `unknown command ${unknown}; the nearest one is ${nearest(
      unknown,
      command.commands.map((candidate) => candidate.name()),
    )}`;
  return `${error.message.replace(/^error: /, "")} (see ${path} --help)`;
}

function depth(command: Command): number {
  return command.parent === null ? 0 : 1 + depth(command.parent);
}
