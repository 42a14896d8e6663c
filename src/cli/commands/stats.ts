import { Option } from "commander";
import type { StatsReport } from "../../run/stats";
import type { CliCommand } from "../command";
import { wholeNumber } from "../flags";
import { jsonLine } from "../io";
import { sideBySide, statsLines } from "../render/stats";
import { Style } from "../render/style";

interface Flags {
  readonly x: string;
  readonly y: string;
  readonly against: string;
  readonly seed: number;
  readonly svg?: string;
  readonly png?: string;
  readonly json?: boolean;
}

const EXAMPLES = `  zerotir stats runs/seven
  zerotir stats runs/seven runs/eight --png figures
  zerotir stats runs/seven --x entropy --y reward --against num_tokens --json
  zerotir stats elsewhere/metrics.jsonl --svg figures

A name without a slash is looked for as it is, then under train/, then under rollout/. The figures are scatter and trajectories.`;

/** `zerotir stats`: how two series of a run go together, and how they grow. */
export const command: CliCommand = {
  summary: "correlation of two series of a run, their growth, and figures of both",
  examples: EXAMPLES,
  build(command, { io, finish }) {
    command
      .argument("<runs...>", "run folders, or metrics.jsonl files")
      .option("--x <name>", "the first series", "code_rewards")
      .option("--y <name>", "the second series", "rule_rewards")
      .option("--against <name>", "what the growth curves are fitted against: step, num_tokens or another name", "step")
      .addOption(
        new Option("--seed <n>", "of the bootstrap intervals").argParser(wholeNumber(0, 2 ** 32 - 1)).default(0),
      )
      .option("--svg <dir>", "write the figures as SVG into this folder")
      .option("--png <dir>", "write the figures as PNG into this folder")
      .option("--json", "JSON lines on standard output, all else on standard error")
      .action(async (paths: readonly string[], flags: Flags) => {
        const { svg = null, png = null, json = false, ...question } = flags;
        const { readStats, writeFigures } = await import("../../run/stats");
        const reports: StatsReport[] = [];
        for (const path of paths) reports.push(await readStats(path, question));
        const style = new Style(io.stdout, io.env);
        for (const [i, report] of reports.entries()) {
          const { figure, ...rest } = report;
          if (json) jsonLine(io.stdout, { event: "stats", run: figure.name, ...figure.relation, ...rest });
          else io.stdout.write(`${i > 0 ? "\n" : ""}${statsLines(report, style).join("\n")}\n`);
        }
        if (!json && reports.length > 1) io.stdout.write(`\n${sideBySide(reports, style).join("\n")}\n`);
        for (const file of await writeFigures(reports, { svg, png }))
          if (json) jsonLine(io.stdout, { event: "figure", file });
          else io.stdout.write(`  wrote ${file}\n`);
        finish(0);
      });
  },
};
