import { Option } from "commander";
import type { CliCommand } from "../command";
import { wholeNumber } from "../flags";
import { jsonLine } from "../io";
import { benchLine } from "../render/tool";
import { addEngineOptions, type EngineFlags, toolRequest, workersOption } from "./tool-options";

interface Flags extends EngineFlags {
  readonly calls: number;
  readonly json?: boolean;
}

/** `zerotir tool bench`: how many calls a second the sandbox takes, and whether its memory stays flat. */
export const bench: CliCommand = {
  summary: "calls per second, time per call and memory of the sandbox",
  examples: "  zerotir tool bench\n  zerotir tool bench --calls 10000 --json",
  build(command, { io, finish }) {
    command
      .addOption(new Option("--calls <n>", "calls of each program").argParser(wholeNumber(1, 1_000_000)).default(200))
      .addOption(workersOption());
    addEngineOptions(command)
      .option("--json", "JSON lines on standard output, all else on standard error")
      .action(async (flags: Flags) => {
        const { benchTool } = await import("../../run/tool-bench");
        let wrong = 0;
        await benchTool(toolRequest(flags), flags.calls, (row) => {
          wrong += row.wrong;
          if (flags.json === true) jsonLine(io.stdout, row);
          else io.stdout.write(`${benchLine(row)}\n`);
        });
        finish(wrong === 0 ? 0 : 1);
      });
  },
};
