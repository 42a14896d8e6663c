/** Statistics, validation, config and environment as tables. */
import { element, table, visible } from "../../../web/elements";
import { figure, fixed, percent, probability } from "../../../web/format";
import type { Fact, RunStatistics, ValidationRow } from "../run-data";

export function statisticsView(statistics: RunStatistics | null): HTMLElement[] {
  if (statistics === null) return [element("p", "panel hint", "Statistics need at least three steps.")];
  const { correlations, series, caveats } = statistics;
  const [headline] = correlations;
  return [
    ...(headline === undefined || caveats.length === 0
      ? []
      : [element("p", "hint", ...visible(`Before you read ${headline.x} against ${headline.y}:`))]),
    element("ul", "caveats", ...caveats.map((text) => element("li", "", ...visible(text)))),
    table(
      [
        "series",
        "against",
        "n",
        "Spearman ρ",
        "p if independent",
        "effective n",
        "p at effective n",
        "95 % block bootstrap",
        "Pearson r",
        "ρ of changes",
      ],
      correlations.map((row) => [
        row.x,
        row.y,
        String(row.points),
        fixed(row.spearman, 3),
        probability(row.p),
        fixed(row.effectivePoints, 1),
        probability(row.effectiveP),
        row.interval === null ? "–" : `${fixed(row.interval[0], 2)} to ${fixed(row.interval[1], 2)}`,
        fixed(row.pearson, 3),
        fixed(row.differences, 3),
      ]),
    ),
    table(
      ["series", "n", "mean", "standard deviation", "least", "most", "ρ against step"],
      series.map((row) => [
        row.name,
        String(row.points),
        figure(row.mean),
        figure(row.standardDeviation),
        figure(row.minimum),
        figure(row.maximum),
        fixed(row.trend, 3),
      ]),
    ),
  ];
}

export function validationView(rows: readonly ValidationRow[]): HTMLElement {
  if (rows.length === 0)
    return element(
      "p",
      "panel hint",
      "No measurement on held-out questions yet. --eval-samples asks for one before and after a run.",
    );
  const names = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  return table(
    ["held out", ...names],
    rows.map((row) => [
      row.label,
      ...names.map((name) => (isShare(rows, name) ? percent : figure)(figureOf(row, name))),
    ]),
  );
}

/** Whether all figures of a name lie in 0 to 1. */
function isShare(rows: readonly ValidationRow[], name: string): boolean {
  return rows.every((row) => {
    const value = figureOf(row, name);
    return value === null || (value >= 0 && value <= 1);
  });
}

function figureOf({ figures }: ValidationRow, name: string): number | null {
  return Object.hasOwn(figures, name) ? (figures[name] ?? null) : null;
}

export function factsView(facts: readonly Fact[]): HTMLElement {
  return element(
    "dl",
    "",
    ...facts.map(([label, value]) =>
      element("div", "", element("dt", "", ...visible(label)), element("dd", "", ...visible(value))),
    ),
  );
}
