import { headlineName, isSwept } from "../../eval/table";
import type { EvalReport } from "../runners";
import { alignColumns } from "./charts";
import type { Style } from "./style";
import { duration, figure, percent, plainText, shorten } from "./text";

/** Columns of a model's name: with the figures beside it a line stays below 80. */
const NAME_WIDTH = 16;

/** The figures of an evaluation: a block per benchmark, a row per model and N_max. */
export function evaluationLines(report: EvalReport, style: Style): string[] {
  const { generations: k, cells, published } = report;
  const swept = isSwept(report);
  const several = k > 1;
  const head = [
    "",
    ...(swept ? ["N_max"] : []),
    ...[headlineName(report), "95%"],
    ...(several ? [`pass@${k}`, `maj@${k}`] : []),
    ...["code", ...(swept ? [] : ["cut"]), "tokens"],
  ];
  const lines: string[] = [];
  for (const benchmark of new Set(cells.map((cell) => cell.benchmark))) {
    const own = cells.filter((cell) => cell.benchmark === benchmark);
    const rows = own.map(({ label, maxToolCalls, figures }) => [
      shorten(plainText(label), NAME_WIDTH),
      ...(swept ? [String(maxToolCalls)] : []),
      ...(figures === null
        ? ["stopped"]
        : [
            percent(figures.average.value),
            figures.average.interval === null
              ? "–"
              : figures.average.interval.map((end) => (100 * end).toFixed(1)).join("-"),
            ...(several ? [percent(figures.pass.at(-1)?.value), percent(figures.majority?.value)] : []),
            percent(figures.codeRatio.value),
            ...(swept ? [] : [percent(figures.cutByLength)]),
            figure(figures.modelTokens),
          ]),
    ]);
    const others = published
      .filter((each) => each.benchmark === benchmark)
      .map((each) => [each.model, `${each.percent}%`, each.protocol]);
    const [title = "", ...table] = alignColumns([head, ...rows], 2);
    lines.push(
      style.paint("bold", plainText(benchmark)),
      `  ${style.paint("dim", title)}`,
      ...table.map((line) => `  ${line}`),
      ...(others.length > 0 ? [`  ${style.paint("dim", "published, not measured here")}`] : []),
      ...alignColumns(others, 2).map((line) => `  ${line}`),
      "",
    );
  }
  const count = `${figure(report.samples)} samples in ${duration(report.seconds)}`;
  lines.push(
    `${count}${report.resumed > 0 ? `, ${figure(report.resumed)} of them from an earlier call` : ""}.`,
    "95%: percentile bootstrap over questions.",
  );
  if (report.outputDir !== null)
    lines.push(
      report.finished
        ? `${report.outputDir}: samples.jsonl, table.md, report.json`
        : `Stopped; the same call with --output-dir ${report.outputDir} goes on.`,
    );
  else if (!report.finished) lines.push("Stopped; with --output-dir the same call could go on.");
  return lines;
}
