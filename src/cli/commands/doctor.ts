import { ExpectedError, UserError } from "../../base/errors";
import type { CliCommand } from "../command";
import { adapterOption, jsonOption, type Toggles, togglesOption } from "../flags";
import { jsonLine } from "../io";
import { exactnessLine, measuredLines, profileLines } from "../render/doctor";

const EXAMPLES = `  zerotir doctor
  zerotir doctor --adapter swiftshader --json`;

interface Flags {
  readonly adapter?: string;
  readonly toggles: Toggles;
  readonly json?: boolean;
}

/** `zerotir doctor`. That there is no adapter, or that it fails, is an answer: exit code 1, as for inexact results. */
export const command: CliCommand = {
  summary: "which adapter is used, what it can do, how fast it is",
  examples: EXAMPLES,
  build(command, { io, finish }) {
    command
      .addOption(adapterOption())
      .addOption(togglesOption())
      .addOption(jsonOption("one JSON object"))
      .action(async (flags: Flags) => {
        const { adapter = null, toggles, json = false } = flags;
        const { doctor } = await import("../../run/doctor");
        const announce = (line: string) => io.stderr.write(`${line}\n`);
        const tell = (...lines: readonly string[]) => {
          if (!json) io.stdout.write(lines.map((line) => `${line}\n`).join(""));
        };
        try {
          const report = await doctor(
            { adapter, toggles },
            {
              announce,
              onProfile: (profile) => tell(...profileLines(profile)),
              onMeasured: (measured) => tell(...measuredLines(measured)),
              onExactness: (exactness) => tell(exactnessLine(exactness)),
            },
          );
          if (json) jsonLine(io.stdout, report);
          finish(report.ok ? 0 : 1);
        } catch (error) {
          if (!(error instanceof UserError || error instanceof ExpectedError)) throw error;
          if (json) jsonLine(io.stdout, { ok: false, error: error.message });
          announce(error.message);
          finish(1);
        }
      });
  },
};
