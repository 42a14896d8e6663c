import { Command } from "commander";
import { evalOptions } from "../../train/eval-options";
import { resolveOptions } from "../../train/resolve-options";
import { jsonLine } from "../io";
import { addOptions, type CommonFlags, layersOf, printResolved } from "../options";
import { alignColumns } from "../render/charts";
import { Screen } from "../render/screen";
import { Style } from "../render/style";
import { duration, figure, percent, plainText } from "../render/text";
import type { EvalReport } from "../runners";
import type { CommandContext } from "./context";

const EXAMPLES = `
Examples:
  zerotir eval --preset nano                                           the shipped model, before any training
  zerotir eval --preset nano --model-name-or-path runs/seven --greedy
  zerotir eval --model-name-or-path models/Qwen2.5-0.5B --dataset math500.jsonl --num-generations 8 --json`;

/** `zerotir eval`: accuracy over a dataset. */
export function evalCommand({ io, runners, overrides, finish }: CommandContext): Command {
  const about = "accuracy and code ratio over a dataset";
  return addOptions(new Command("eval").summary(about).description(about), evalOptions)
    .addHelpText("after", EXAMPLES)
    .action(async (flags: CommonFlags) => {
      const options = resolveOptions(evalOptions, await layersOf(evalOptions, { ...flags }, overrides));
      const json = flags.json === true;
      if (flags.dryRun === true) {
        printResolved(evalOptions, options, json, io);
        return finish(0);
      }
      const screen = new Screen(io.stderr);
      const report = await runners.eval(options, {
        signal: io.signal,
        announce: (line) => screen.print(line),
        onProgress: (done, total) => screen.setStatus(`  ${done} of ${total} trajectories`),
      });
      screen.setStatus();
      if (json) jsonLine(io.stdout, { event: "eval", ...report });
      else io.stdout.write(`${reportLines(report, new Style(io.stdout, io.env)).join("\n")}\n`);
      finish(io.signal.aborted ? 1 : 0);
    });
}

function reportLines(report: EvalReport, style: Style): string[] {
  const rows = report.figures.map(({ name, value, unit }) => [
    plainText(name),
    unit === "share" ? percent(value) : figure(value),
  ]);
  return [
    style.paint("bold", `${plainText(report.model)} on ${plainText(report.dataset)}`),
    `  ${figure(report.rows)} rows, ${report.generations} ${report.generations === 1 ? "trajectory" : "trajectories"} each, ${duration(report.seconds)}`,
    "",
    ...alignColumns(rows).map((row) => `  ${row}`),
  ];
}
