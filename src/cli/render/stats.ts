import { at } from "../../base/must";
import type { Interval } from "../../base/statistics";
import { pText } from "../../report/figures/run";
import type { Correlation } from "../../report/statistics/correlation";
import type { CurveFit, NoFit } from "../../report/statistics/fit";
import type { SeriesReport } from "../../report/statistics/relation";
import type { StatsReport } from "../../run/stats";
import { alignColumns } from "./charts";
import type { Style } from "./style";
import { figure, plainText } from "./text";

const MISSING = "–";
const four = (value: number | null | undefined) =>
  value === null || value === undefined ? MISSING : Math.abs(value) >= 1e4 ? figure(value) : value.toFixed(4);
const p = (correlation: Correlation) => (correlation.p === null ? MISSING : pText(correlation.p, correlation.log10P));
const interval = (ends: Interval | null | undefined) =>
  ends ? `${ends[0].toFixed(3)} to ${ends[1].toFixed(3)}` : MISSING;

/** All tables of one run. */
export function statsLines({ figure: run, against, fits, notes }: StatsReport, style: Style): string[] {
  const { relation } = run;
  const { bootstrap, effective, firstDifferences } = relation;
  const tables = [
    ...alignColumns([
      ["series", "mean", "std dev", "min", "max", "lag-1", "rho with step", "p"],
      ...[relation.x, relation.y].map(seriesRow),
    ]),
    "",
    ...alignColumns([
      ["correlation", "value", "p", "95% Fisher", "95% block bootstrap"],
      ["Spearman rho", ...correlationCells(relation.spearman), interval(bootstrap?.spearman)],
      ["Pearson r", ...correlationCells(relation.pearson), interval(bootstrap?.pearson)],
      ["rho of first differences", ...correlationCells(firstDifferences.spearman), MISSING],
      ["r of first differences", ...correlationCells(firstDifferences.pearson), MISSING],
      ...(effective === null
        ? []
        : [[`rho at effective n = ${effective.n.toFixed(1)}`, ...correlationCells(effective.spearman), MISSING]]),
    ]),
    "",
    ...fitTable([
      [plainText(`fit against ${against}`), "R2", "parameters"],
      ...[relation.x, relation.y].flatMap(({ name }, i) => (i === 0 ? fits.x : fits.y).map((fit) => fitRow(name, fit))),
    ]),
    "",
    ...formulas(fits.x),
  ].map((line) => (line === "" ? "" : `  ${line}`));
  const remarks = [
    ...relation.caveats,
    ...(bootstrap === null
      ? []
      : [
          `Bootstrap: ${bootstrap.replicates} replicates of blocks of ${bootstrap.blockLength} steps (AR(1) rule, from n^(1/3) to n/4), seed ${bootstrap.seed}.`,
        ]),
  ];
  return [
    style.paint("bold", plainText(`${run.name}: ${relation.x.name} (x) and ${relation.y.name} (y)`)),
    `  ${relation.n} aligned steps, ${relation.firstStep} to ${relation.lastStep}`,
    ...notes.map((note) => `  ${note}`),
    "",
    ...tables,
    "",
    ...remarks.map((remark) => `  ${plainText(remark)}`),
  ];
}

/** One row per run. */
export function sideBySide(reports: readonly StatsReport[], style: Style): string[] {
  const rows = reports.map(({ figure: { name, relation } }) => [
    plainText(name),
    String(relation.n),
    ...[relation.x, relation.y].flatMap(({ mean, standardDeviation }) => [four(mean), four(standardDeviation)]),
    four(relation.spearman.coefficient),
    p(relation.spearman),
    four(relation.pearson.coefficient),
  ]);
  return [
    style.paint("bold", "side by side"),
    ...alignColumns([["run", "n", "mean x", "std x", "mean y", "std y", "rho", "p", "r"], ...rows]).map(
      (line) => `  ${line}`,
    ),
  ];
}

function seriesRow({ name, mean, standardDeviation, minimum, maximum, ...rest }: SeriesReport): string[] {
  return [
    plainText(name),
    ...[mean, standardDeviation, minimum, maximum, rest.lagOneAutocorrelation, rest.againstStep.coefficient].map(four),
    p(rest.againstStep),
  ];
}

function correlationCells(correlation: Correlation): string[] {
  return [four(correlation.coefficient), p(correlation), interval(correlation.fisher)];
}

function fitRow(series: string, fit: CurveFit | NoFit): [string, string, string] {
  const name = plainText(`${series}, ${fit.curve}`);
  if (!("rSquared" in fit)) return [name, MISSING, fit.reason];
  const parameters = fit.parameters.map(({ name, value, standardError }) =>
    standardError === null ? `${name} ${figure(value)}` : `${name} ${figure(value)} ± ${figure(standardError)}`,
  );
  return [
    name,
    fit.rSquared.toFixed(4),
    fit.notIdentified === null
      ? `${parameters.join(", ")}; residual sd ${figure(fit.residualDeviation)}`
      : `not identified: ${fit.notIdentified}`,
  ];
}

/** The last column is a sentence, and stands to the left. */
function fitTable(rows: readonly (readonly [string, string, string])[]): string[] {
  const heads = alignColumns(rows.map(([name, rSquared]) => [name, rSquared]));
  return rows.map(([, , parameters], i) => `${at(heads, i)}   ${parameters}`);
}

function formulas(fits: readonly (CurveFit | NoFit)[]): string[] {
  return fits.map(({ curve, formula }) => `${curve}: ${formula}`);
}
