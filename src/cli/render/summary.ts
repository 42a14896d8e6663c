import type { SummaryRow, TrainSummary } from "../../session/events";
import type { EvaluationRow, FreeMetricName } from "../../session/metrics";
import { alignColumns } from "./charts";
import type { Style } from "./style";
import { duration, figure, percent, plainText } from "./text";

/** The end of a run: what changed, where everything is, what to try next. */
export function summaryLines(summary: TrainSummary, style: Style): string[] {
  const lines = [
    "",
    summary.outcome === "finished"
      ? style.paint("green", `Done: ${steps(summary.step)} in ${duration(summary.seconds)}.`)
      : style.paint("yellow", `Stopped after ${steps(summary.step)}, ${duration(summary.seconds)} into the run.`),
  ];
  if (summary.table.length > 0) {
    const cells = [["", "before", "after", "change"], ...summary.table.map(tableRow)];
    const [head = "", ...rows] = alignColumns(cells);
    lines.push("", `  ${style.paint("dim", head)}`, ...rows.map((row) => `  ${row}`));
  }
  const { evaluations = [] } = summary;
  // Two are the table above.
  if (evaluations.length > 2) lines.push("", ...byStep(evaluations, style));
  lines.push("", `  ${style.paint("dim", "run folder")}  ${plainText(summary.runFolder)}`);
  if (summary.checkpoint !== undefined)
    lines.push(`  ${style.paint("dim", "checkpoint")}  ${plainText(summary.checkpoint)}`);
  if (summary.best !== undefined) {
    const { path, metric, value } = summary.best;
    lines.push(`  ${style.paint("dim", "best")}        ${plainText(`${path} (${metric} ${figure(value)})`)}`);
  }
  if (summary.report !== undefined) lines.push(`  ${style.paint("dim", "report")}      ${plainText(summary.report)}`);
  if (summary.next.length > 0) {
    lines.push("", `  ${summary.outcome === "finished" ? "What to try next" : "How to go on"}`);
    for (const { command, why } of summary.next)
      lines.push(`    ${style.paint("bold", plainText(command))}`, `      ${style.paint("dim", plainText(why))}`);
  }
  return [...lines, ""];
}

/** A row per evaluated step, a column per figure. */
function byStep(rows: readonly EvaluationRow[], style: Style): string[] {
  const names = Object.keys(rows.at(-1) ?? {}).filter((name): name is FreeMetricName => name.startsWith("eval/"));
  const cells = rows.map((row) => [String(row.step), ...names.map((name) => percent(row[name]))]);
  const [head = "", ...body] = alignColumns([["step", ...names.map((name) => name.split("/").at(-1) ?? "")], ...cells]);
  return [`  ${style.paint("dim", head)}`, ...body.map((line) => `  ${line}`)];
}

function steps(count: number): string {
  return `${count} ${count === 1 ? "step" : "steps"}`;
}

function tableRow({ name, before, after, unit }: SummaryRow): string[] {
  const show = unit === "share" ? percent : figure;
  const change = before === null || after === null ? Number.NaN : after - before;
  const sign = change > 0 ? "+" : change < 0 ? "−" : "";
  const size = unit === "share" ? `${(100 * Math.abs(change)).toFixed(1)} points` : figure(Math.abs(change));
  return [plainText(name), show(before), show(after), Number.isNaN(change) ? "" : `${sign}${size}`];
}
