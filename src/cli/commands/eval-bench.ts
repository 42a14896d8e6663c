import type { EvalOptions } from "../../options/evaluate";
import { type CliIo, jsonLine } from "../io";
import { Screen } from "../render/screen";
import { Style } from "../render/style";
import { tEvalLines } from "../render/t-eval";
import { when2CallLines } from "../render/when2call";
import type { Runners } from "../runners";

/** `zerotir eval --bench`. @returns the exit code */
export async function evalBench(options: EvalOptions, json: boolean, io: CliIo, runners: Runners): Promise<number> {
  const screen = new Screen(io.stderr);
  screen.setStatus("  opening model and rows");
  let printed = 0;
  const report = await runners.evalBench(options, {
    signal: io.signal,
    announce: (line) => screen.print(line),
    onProgress(done, total) {
      const line = `${done} of ${total} rows`;
      screen.setStatus(`  ${line}`);
      // Off a terminal about ten lines in all.
      if (screen.isTerminal || done < printed) return;
      screen.print(line);
      printed = done + Math.max(1, Math.ceil(total / 10));
    },
  });
  screen.setStatus();
  if (json) jsonLine(io.stdout, { event: "eval", ...report });
  else {
    const style = new Style(io.stdout, io.env);
    const lines = report.bench === "when2call" ? when2CallLines(report, style) : tEvalLines(report, style);
    io.stdout.write(`${lines.join("\n")}\n`);
  }
  return report.bench === "when2call" && !report.finished ? 1 : 0;
}
