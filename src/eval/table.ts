/** The tables of an evaluation in Markdown. */
import type { Interval } from "../base/statistics";
import type { Estimate } from "./figures";
import { type PublishedFigure, publishedRemarks } from "./published";
import type { Cell, EvaluationReport } from "./report";

/**
 * Two tables: the headline in the layout of the ZTRL report (a row per benchmark and N_max, a column per model,
 * published figures beside), and all figures.
 */
export function markdownTable(report: EvaluationReport): string {
  const notes = new Footnotes();
  const parts = [headline(report, notes), details(report)];
  return `${[...parts, notes.text()].filter((part) => part !== "").join("\n\n")}\n`;
}

/** `avg@32`, `accuracy` or `greedy`. */
export function headlineName({ generations, greedy }: Pick<EvaluationReport, "generations" | "greedy">): string {
  return greedy ? "greedy" : generations === 1 ? "accuracy" : `avg@${generations}`;
}

/** `nano` or, where several N_max were tried, `nano, N_max 2`. */
export function rowName({ benchmark, maxToolCalls }: Cell, swept: boolean): string {
  return swept ? `${benchmark}, N_max ${maxToolCalls}` : benchmark;
}

export function isSwept({ cells }: Pick<EvaluationReport, "cells">): boolean {
  return new Set(cells.map(({ maxToolCalls }) => maxToolCalls)).size > 1;
}

function headline(report: EvaluationReport, notes: Footnotes): string {
  const { cells, published } = report;
  const models = unique(cells.map(({ label }) => label));
  const others = unique(published.map(({ model }) => model));
  const swept = isSwept(report);
  const rows = unique(cells.map((cell) => rowName(cell, swept)));
  const cut = notes.mark("Percent, cut after two decimals as in the published tables.");
  const seen = new Set<string>();
  const body = rows.map((name) => {
    const own = cells.filter((cell) => rowName(cell, swept) === name);
    const benchmark = own[0]?.benchmark ?? "";
    // Published figures know no N_max of ours: they stand once.
    const isFirst = !seen.has(benchmark);
    seen.add(benchmark);
    return [
      name,
      ...models.map((label) => {
        const figures = own.find((cell) => cell.label === label)?.figures;
        return figures ? truncatedPercent(figures.right, figures.questions * figures.generations) : "";
      }),
      ...others.map((model) => {
        const figure = published.find((each) => each.benchmark === benchmark && each.model === model);
        return figure === undefined || !isFirst ? "" : `${figure.percent}${remarksOf(figure, notes)}`;
      }),
    ];
  });
  return markdown([[`${headlineName(report)}${cut}`, ...models, ...others], ...body]);
}

function remarksOf(figure: PublishedFigure, notes: Footnotes): string {
  return [
    `${figure.protocol}; ${figure.source}. Published, not measured here.`,
    ...figure.remarks.map((name) => publishedRemarks[name]),
  ]
    .map((text) => notes.mark(text))
    .join("");
}

function details(report: EvaluationReport): string {
  const { generations, cells } = report;
  const several = generations > 1;
  const head = [
    ...["benchmark", "model", "N_max", "questions", `${headlineName(report)} [95%]`],
    ...(several ? [`pass@${generations}`, `maj@${generations}`] : []),
    ...["code ratio", "calls", "failed calls", "cut by length", "model tokens"],
  ];
  const rows = cells.flatMap(({ benchmark, label, maxToolCalls, figures }) => {
    if (figures === null) return [];
    const { average, pass, majority, codeRatio, callsPerAnswer, failedCalls, cutByLength, modelTokens } = figures;
    return [
      [
        ...[benchmark, label, String(maxToolCalls), String(figures.questions), withInterval(average)],
        ...(several ? [withInterval(pass.at(-1) ?? null), withInterval(majority)] : []),
        ...[withInterval(codeRatio), callsPerAnswer.toFixed(2), failedCalls === null ? "" : percent(failedCalls)],
        ...[percent(cutByLength), modelTokens.toFixed(1)],
      ],
    ];
  });
  const intervals =
    "Percent, rounded. Brackets: 95% percentile bootstrap over questions (1000 draws, seeded), which holds the chance of the samples too." +
    (several
      ? ` The interval of ${headlineName(report)} over samples with the questions fixed is in report.json.`
      : "");
  return `${markdown([head, ...rows])}\n\n${intervals}`;
}

/** Whole hundredths of a percent, cut: exact, since it is counted in integers. */
export function truncatedPercent(right: number, total: number): string {
  const hundredths = Number((BigInt(right) * 10000n) / BigInt(total));
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, "0")}`;
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function withInterval(estimate: Estimate | null): string {
  if (estimate === null) return "";
  return `${percent(estimate.value)}${interval(estimate.interval)}`;
}

function interval(bounds: Interval | null): string {
  return bounds === null ? "" : ` [${percent(bounds[0])}, ${percent(bounds[1])}]`;
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)];
}

function markdown(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "--:"))), ...body.map(line)].join("\n");
}

/** Numbered remarks below the tables, each once. */
class Footnotes {
  readonly #texts: string[] = [];

  mark(text: string): string {
    if (!this.#texts.includes(text)) this.#texts.push(text);
    return ` [^${this.#texts.indexOf(text) + 1}]`;
  }

  text(): string {
    return this.#texts.map((text, i) => `[^${i + 1}]: ${text}`).join("\n");
  }
}
