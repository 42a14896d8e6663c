/** Options that the tool commands share. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_LIMITS, type EngineName, engineNames } from "../../sandbox/engine";
import type { ToolRequest } from "../runners";

/** The flags of {@link addEngineOptions}, as commander gives them. */
export interface EngineFlags {
  readonly timeout: number;
  readonly memoryMb: number;
  readonly toolEngine: EngineName;
  readonly toolUrl?: string;
  readonly toolPackages?: string;
}

/** Adds the limits of a call and the choice of an engine. */
export function addEngineOptions(command: Command): Command {
  return command
    .addOption(new Option("--timeout <seconds>", "wall clock").argParser(number(0.001, 3600)).default(10))
    .addOption(
      new Option("--memory-mb <n>", "memory of the interpreter, in MiB")
        .argParser(number(32, 4096))
        .default(DEFAULT_LIMITS.memoryMb),
    )
    .addOption(new Option("--tool-engine <name>", "where Python runs").choices(engineNames).default("wasi"))
    .option("--tool-url <address>", "engine http: address of a service that speaks SandboxFusion's protocol")
    .option("--tool-packages <path>", "engine wasi: folder or zip of pure Python packages");
}

/** What the engine is opened with. */
export function engineRequest(
  { memoryMb, toolEngine, toolUrl, toolPackages }: EngineFlags,
  workerCount: number | null,
): ToolRequest {
  return { engine: toolEngine, url: toolUrl ?? null, memoryMb, packages: toolPackages ?? null, workerCount };
}

/** Reads a number of a flag. */
export function number(least: number, most: number, whole = false): (value: string) => number {
  return (value) => {
    const parsed = Number(value);
    if (value.trim() === "" || !(parsed >= least && parsed <= most) || (whole && !Number.isInteger(parsed)))
      throw new InvalidArgumentError(`Expected a ${whole ? "whole " : ""}number from ${least} to ${most}.`);
    return parsed;
  };
}
