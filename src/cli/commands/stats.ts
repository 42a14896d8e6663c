import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { UserError } from "../../base/errors";
import type { FigureRun } from "../../report/figures/run";
import { scatterFigure } from "../../report/figures/scatter";
import { trajectoriesFigure } from "../../report/figures/trajectories";
import { bestFit } from "../../report/statistics/fit";
import { jsonLine } from "../io";
import { sideBySide, statsLines } from "../render/stats";
import { Style } from "../render/style";
import type { CommandContext } from "./context";
import { readStats, type StatsReport } from "./stats-read";
import { number } from "./tool-options";

interface StatsFlags {
  readonly x: string;
  readonly y: string;
  readonly against: string;
  readonly seed: number;
  readonly svg?: string;
  readonly png?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  zerotir stats runs/seven
  zerotir stats runs/seven runs/eight --png figures
  zerotir stats runs/seven --x entropy --y reward --against num_tokens --json
  zerotir stats elsewhere/metrics.jsonl --svg figures

A name without a slash is looked for as it is, then under train/, then under rollout/. The figures are scatter and trajectories.`;

/** `zerotir stats`: how two series of a run go together, and how they grow. */
export function statsCommand({ io, finish }: CommandContext): Command {
  const about = "correlation of two series of a run, their growth, and figures of both";
  return new Command("stats")
    .summary(about)
    .description(about)
    .argument("<runs...>", "run folders, or metrics.jsonl files")
    .option("--x <name>", "the first series", "code_rewards")
    .option("--y <name>", "the second series", "rule_rewards")
    .option("--against <name>", "what the growth curves are fitted against: step, num_tokens or another name", "step")
    .addOption(
      new Option("--seed <n>", "of the bootstrap intervals").argParser(number(0, 2 ** 32 - 1, true)).default(0),
    )
    .option("--svg <dir>", "write the figures as SVG into this folder")
    .option("--png <dir>", "write the figures as PNG into this folder")
    .option("--json", "JSON lines on standard output, all else on standard error")
    .addHelpText("after", EXAMPLES)
    .action(async (paths: readonly string[], flags: StatsFlags) => {
      const reports: StatsReport[] = [];
      for (const path of paths) reports.push(await readStats(path, flags));
      const json = flags.json === true;
      const style = new Style(io.stdout, io.env);
      for (const [i, report] of reports.entries()) {
        const { figure, ...rest } = report;
        if (json) jsonLine(io.stdout, { event: "stats", run: figure.name, ...figure.relation, ...rest });
        else io.stdout.write(`${i > 0 ? "\n" : ""}${statsLines(report, style).join("\n")}\n`);
      }
      if (!json && reports.length > 1) io.stdout.write(`\n${sideBySide(reports, style).join("\n")}\n`);
      for (const file of await writeFigures(reports, flags))
        if (json) jsonLine(io.stdout, { event: "figure", file });
        else io.stdout.write(`  wrote ${file}\n`);
      finish(0);
    });
}

async function writeFigures(reports: readonly StatsReport[], { svg, png }: StatsFlags): Promise<string[]> {
  if (svg === undefined && png === undefined) return [];
  const runs: FigureRun[] = reports.map(({ figure, fits }) => ({
    ...figure,
    fits: { x: bestFit(fits.x), y: bestFit(fits.y) },
  }));
  const written: string[] = [];
  const write = async (folder: string, name: string, data: string | Uint8Array) => {
    const file = join(folder, name);
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(file, data);
    } catch (error) {
      throw new UserError(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
    written.push(file);
  };
  for (const [name, text] of [
    ["scatter", scatterFigure(runs)],
    ["trajectories", trajectoriesFigure(runs)],
  ] as const) {
    if (svg !== undefined) await write(svg, `${name}.svg`, text);
    if (png !== undefined) await write(png, `${name}.png`, await (await import("../../run/png")).pngOf(text));
  }
  return written;
}
