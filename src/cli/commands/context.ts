import type { CliIo } from "../io";
import type { DottedOverride } from "../options";
import type { Runners } from "../runners";

/** What every command is built with. `finish` hands its exit code to the program. */
export interface CommandContext {
  readonly io: CliIo;
  readonly runners: Runners;
  readonly overrides: readonly DottedOverride[];
  finish(exitCode: number): void;
}
