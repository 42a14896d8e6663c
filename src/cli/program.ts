import { Command, CommanderError } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { ExpectedError, UserError } from "../base/errors";
import { nearest } from "../base/nearest";
import type { CliCommand, CommandContext } from "./command";
import { allCommands, allOptionSets, findCommand } from "./command-list";
import { type CliIo, jsonLine } from "./io";
import { addOptions, isDotted, splitOverrides } from "./options";
import { plainText } from "./render/text";

/** Exit codes: done; the run failed or was stopped; the user made a mistake. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

const EXAMPLES = `
Examples:
  zerotir doctor                     is there a GPU, and what can it do
  zerotir train --preset nano        the shipped model learns to use Python, in minutes
  zerotir train --help               every option

Exit codes: 0 done, 1 the run failed or was stopped, 2 a mistake in options or input.`;

const VERSION_FLAGS = ["-v", "--version"];

/**
 * The whole command line.
 *
 * @param argv arguments after the program's name
 * @returns the exit code
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let exitCode: number = EXIT.ok;
  const overridable = argv.some(isDotted) ? (await allOptionSets()).map(({ name }) => name) : [];
  const { rest, overrides } = splitOverrides(argv, overridable);
  const program = buildProgram(await commandsFor(rest[0]), {
    io,
    overrides,
    optionSets: allOptionSets,
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

/** The commands that a program must know when its first argument is this one. */
async function commandsFor(first: string | undefined): Promise<Record<string, CliCommand>> {
  if (first === undefined) return allCommands();
  if (VERSION_FLAGS.includes(first)) return {};
  const command = await findCommand(first);
  return command === undefined ? allCommands() : { [first]: command };
}

function buildProgram(commands: Readonly<Record<string, CliCommand>>, context: CommandContext): Command {
  const { io } = context;
  const program = new Command("zerotir")
    .description("Reinforcement learning of tool-integrated reasoning on WebGPU.")
    .version(manifest.version, VERSION_FLAGS.join(", "))
    .addHelpText("after", EXAMPLES);
  addCommands(program, commands, context);
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

function addCommands(to: Command, commands: Readonly<Record<string, CliCommand>>, context: CommandContext): void {
  for (const [name, definition] of Object.entries(commands)) {
    const { summary, examples, options } = definition;
    const command = new Command(name).summary(summary).description(summary);
    if (options !== undefined) addOptions(command, options);
    definition.build?.(command, context);
    if (examples !== undefined) command.addHelpText("after", `\nExamples:\n${examples}`);
    addCommands(command, definition.commands ?? {}, context);
    to.addCommand(command);
  }
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
  if (isUsage || error instanceof UserError) {
    io.stderr.write(`error: ${line}\n`);
    return EXIT.usage;
  }
  // Anything else is a fault of the program or the machine, and its trace is what a report of it needs.
  const isFault = error instanceof Error && !(error instanceof ExpectedError || wasStopped(error));
  io.stderr.write(`error: ${isFault ? plainText(error.stack ?? line) : line}\n`);
  return EXIT.failed;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return wasStopped(error) ? "stopped before the end, with nothing to save" : error.message;
}

/** Whether the work ended because its signal was aborted. */
function wasStopped(error: Error): boolean {
  return error.name === "AbortError";
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
