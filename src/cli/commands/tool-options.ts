/** Options that the tool commands share. */
import { type Command, Option } from "commander";
import type { ToolRequest } from "../../run/tool";
import { DEFAULT_LIMITS, type EngineName, engineNames } from "../../sandbox/engine";
import { number, wholeNumber } from "../flags";

/** The flags of {@link addEngineOptions} and {@link workersOption}, as commander gives them. */
export interface EngineFlags {
  readonly timeout: number;
  readonly memoryMb: number;
  readonly toolEngine: EngineName;
  readonly toolUrl?: string;
  readonly toolPackages?: string;
  readonly workers?: number;
}

export const workersOption = () =>
  new Option("--workers <n>", "programs run at once (default: one per core, at most 4)").argParser(wholeNumber(1, 256));

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

/** What the engine is opened with, and what a call may take. */
export function toolRequest(flags: EngineFlags): ToolRequest {
  const { timeout, memoryMb, toolEngine, toolUrl = null, toolPackages = null, workers } = flags;
  return {
    engine: {
      engine: toolEngine,
      url: toolUrl,
      memoryMb,
      packages: toolPackages,
      ...(workers === undefined ? {} : { workerCount: workers }),
    },
    limits: { ...DEFAULT_LIMITS, timeoutMs: timeout * 1000, memoryMb },
  };
}
