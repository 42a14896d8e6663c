import { type Command, Option } from "commander";
import type * as z from "zod";
import { at } from "../base/must";
import { type OptionInfo, type OptionLayer, spelled } from "../options/option";
import type { OptionSet } from "../options/option-set";
import type { CommandContext, DottedOverride, NamedOptions } from "./command";
import { readConfigFile } from "./config-file";
import { type CliIo, jsonLine } from "./io";

/** Flags that every command with options has beside its own. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly config?: string;
  readonly dryRun?: boolean;
}

/** Adds an option set's flags to a command, under their headings, and `--config`, `--dry-run` and `--json`. */
export function addOptions(command: Command, set: NamedOptions): void {
  for (const info of set.infos.values()) {
    command.addOption(flagOf(info).helpGroup(`${info.group}:`));
    if (info.kind === "flag") command.addOption(new Option(`--no-${info.flag}`).hideHelp());
  }
  // So that they are refused with what to do instead.
  for (const key of Object.keys(set.refused))
    command.addOption(new Option(`${spelled(key, "flag")} <value>`).hideHelp());
  if (set.infos.has("modelNameOrPath"))
    command.addOption(new Option("--model <text>", "short for --model-name-or-path").helpGroup("Model and data:"));
  command
    .addHelpOption(new Option("-h, --help", "show this").helpGroup("Output:"))
    .addOption(new Option("--config <file>", "options from a .yaml, .toml or .json file").helpGroup("Output:"))
    .addOption(new Option("--dry-run", "print the options that would be used, and stop").helpGroup("Output:"))
    .addOption(new Option("--json", "JSON lines on standard output, all else on standard error").helpGroup("Output:"));
}

function flagOf(info: OptionInfo): Option {
  const value = info.defaultValue === undefined ? "" : ` (default: ${String(info.defaultValue ?? "") || "none"})`;
  const choices = info.choices.length > 0 ? `; one of ${info.choices.join(", ")}` : "";
  const help = `${info.help}${choices}${value}`;
  if (info.kind === "flag") return new Option(`--${info.flag}`, help);
  if (info.kind === "texts")
    return new Option(`--${info.flag} <text>`, help).argParser((text: string, before: string[] = []) => [
      ...before,
      text,
    ]);
  const placeholders: Partial<Record<OptionInfo["kind"], string>> = {
    integer: "n",
    number: "n",
    numbers: "n,...",
    choice: "name",
    names: "name,...",
  };
  const placeholder = placeholders[info.kind] ?? "text";
  const option = new Option(`--${info.flag} <${placeholder}>`, help);
  return info.kind === "names" || info.kind === "numbers"
    ? option.argParser((text: string, before?: string) => (before === undefined ? text : `${before},${text}`))
    : option;
}

/** The layers of a command line: its config file, its flags, its dotted overrides. */
export async function layersOf<Shape extends z.ZodRawShape>(
  set: OptionSet<Shape>,
  given: Readonly<Record<string, unknown>>,
  { overrides, optionSets }: CommandContext,
): Promise<OptionLayer[]> {
  const flags: Record<string, unknown> = {};
  const named = given.model === undefined ? given : { modelNameOrPath: given.model, ...given };
  for (const [key, value] of Object.entries(named))
    if (set.infos.has(key)) flags[key] = typeof value === "string" ? set.parseFlag(key, value) : value;
    else if (Object.hasOwn(set.refused, key)) flags[key] = value;
  const dotted: Record<string, unknown> = {};
  for (const { command, name, value } of overrides) {
    if (command !== set.name) continue;
    const info = [...set.infos.values()].find(({ flag, key, fileKey }) => [flag, key, fileKey].includes(name));
    if (info === undefined) dotted[name] = value;
    else if (value === undefined && info.kind !== "flag")
      throw set.wrong(info.key, "", { source: "command line", spelling: "flag", values: {} });
    else dotted[info.key] = value === undefined ? true : set.parseFlag(info.key, value);
  }
  const config =
    typeof given.config === "string" ? await readConfigFile(given.config, set.name, await optionSets()) : [];
  return [
    ...config,
    { source: "command line", spelling: "flag", values: flags },
    { source: `override --${set.name}.`, spelling: "flag", values: dotted },
  ];
}

/** Prints resolved options as `--dry-run` does: YAML that `--config` reads back, or one line of JSON. */
export function printResolved<Shape extends z.ZodRawShape>(
  set: OptionSet<Shape>,
  options: Readonly<Record<string, unknown>>,
  json: boolean,
  io: CliIo,
): void {
  if (json) jsonLine(io.stdout, set.toFile(options));
  else io.stdout.write(set.toYaml(options));
}

const DOTTED = /^--([a-z]+)\.([^=]+)(=[\s\S]*)?$/;

/** Whether an argument is written as an override is. */
export function isDotted(argument: string): boolean {
  return DOTTED.test(argument);
}

/** Takes the dotted overrides out of the arguments, for commander does not know options that it was not told of. */
export function splitOverrides(
  argv: readonly string[],
  commands: readonly string[],
): { rest: string[]; overrides: DottedOverride[] } {
  const rest: string[] = [];
  const overrides: DottedOverride[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = at(argv, i);
    if (argument === "--") {
      rest.push(...argv.slice(i));
      break;
    }
    const [, command, name, equals] = DOTTED.exec(argument) ?? [];
    if (command === undefined || name === undefined || !commands.includes(command)) {
      rest.push(argument);
      continue;
    }
    const next = argv[i + 1];
    if (equals !== undefined) overrides.push({ command, name, value: equals.slice(1) });
    else if (next !== undefined && !next.startsWith("--")) {
      overrides.push({ command, name, value: next });
      i++;
    } else overrides.push({ command, name });
  }
  return { rest, overrides };
}
