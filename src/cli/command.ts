/** What a command is. A new one is a file in commands/ and a line in command-list.ts. */
import type { Command } from "commander";
import type { OptionInfo } from "../options/option";
import type { RefusedOptions } from "../options/option-set";
import type { CliIo } from "./io";

/** A command, or one of the commands of a group. Its name is its key in the list or in the group. */
export interface CliCommand {
  /** One line for the list of commands and the head of its own help. */
  readonly summary: string;
  /** What its help ends with. */
  readonly examples?: string;
  /**
   * What its flags, `--config`, `--dry-run` and `--json` stand for. It may then have a section in a config file, and
   * dotted overrides.
   */
  readonly options?: NamedOptions;
  /** Ends by itself when asked to, having saved what it did: the first Ctrl-C is passed to it. */
  readonly isGraceful?: boolean;
  /** Of a group, in the order of its help. */
  readonly commands?: Readonly<Record<string, CliCommand>>;
  /** Adds arguments, flags that are in no option set, and the action, which loads its work. */
  build?(command: Command, context: CommandContext): void;
}

/** An option set as far as names go. */
export interface NamedOptions {
  /** The command's. */
  readonly name: string;
  readonly infos: ReadonlyMap<string, OptionInfo>;
  readonly refused: RefusedOptions;
}

/** What every command is built with. */
export interface CommandContext {
  readonly io: CliIo;
  readonly overrides: readonly DottedOverride[];
  /** The option sets of all commands. */
  optionSets(): Promise<readonly NamedOptions[]>;
  /** Hands the exit code to the program. */
  finish(exitCode: number): void;
}

/** An option given as `--train.learning-rate 5e-6`: it wins over everything else. */
export interface DottedOverride {
  readonly command: string;
  readonly name: string;
  /** Absent for a bare flag. */
  readonly value?: string;
}
