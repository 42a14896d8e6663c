import { shellWord } from "../../base/text";
import type { Cell } from "../../eval/report";
import { headlineName, isSwept } from "../../eval/table";
import type { EvalReport } from "../../run/context";
import { alignColumns, sparkline } from "./charts";
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
      ...passRateLines(own, style),
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
  if (several)
    lines.push(
      "Influence: mean sqrt(rate (1 - rate)), what GRPO can learn from the prompts:",
      "0 from those with none or all right, 0.5 from those solved half the time.",
    );
  if (report.outputDir !== null)
    lines.push(
      report.finished
        ? `${report.outputDir}: samples.jsonl, table.md, report.json`
        : `Stopped; the same call with --output-dir ${shellWord(report.outputDir)} goes on.`,
    );
  else if (!report.finished) lines.push("Stopped; with --output-dir the same call could go on.");
  return lines;
}

/** Widest histogram; more bars than that are joined. */
const HISTOGRAM_WIDTH = 17;

/** How the prompts' pass rates are distributed, from none right to all right. */
function passRateLines(cells: readonly Cell[], style: Style): string[] {
  const swept = new Set(cells.map(({ maxToolCalls }) => maxToolCalls)).size > 1;
  const rows = cells.flatMap(({ label, maxToolCalls, figures }) => {
    const rates = figures?.passRates;
    if (!rates) return [];
    const most = Math.max(...rates.histogram);
    return [
      [
        shorten(plainText(label), NAME_WIDTH),
        ...(swept ? [String(maxToolCalls)] : []),
        ...[rates.atZero, rates.between, rates.atOne].map(percent),
        rates.influence.toFixed(3),
        sparkline(
          rates.histogram.map((count) => count / most),
          HISTOGRAM_WIDTH,
        ),
      ],
    ];
  });
  if (rows.length === 0) return [];
  const head = ["pass rates", ...(swept ? ["N_max"] : []), "none", "between", "all", "influence", "0 to 1"];
  const [title = "", ...table] = alignColumns([head, ...rows], 2);
  return ["", `  ${style.paint("dim", title)}`, ...table.map((line) => `  ${line}`)];
}
