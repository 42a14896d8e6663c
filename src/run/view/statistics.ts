/** Correlations of a run's figures for the report page. */
import { at } from "../../base/must";
import type { CorrelationRow, RunStatistics } from "../../report/html/run-data";
import { align, type MetricsTable } from "../../report/statistics/metrics-table";
import { FEWEST_POINTS, type Relation, relate, type SeriesReport } from "../../report/statistics/relation";

const ACCURACY = "train/rule_rewards";
const CODE = "train/code_rewards";

/** The first is ZeroTIR's: accuracy against code use. */
const PAIRS: readonly (readonly [x: string, y: string])[] = [
  [ACCURACY, CODE],
  ["rollout/rule_rewards", "rollout/code_rewards"],
  [ACCURACY, "completions/mean_length"],
  [CODE, "completions/mean_length"],
  [ACCURACY, "entropy"],
  [ACCURACY, "tools/failure_frequency"],
];

/** Null until there are enough steps. */
export function statisticsOf(table: MetricsTable): RunStatistics | null {
  const relations = PAIRS.flatMap(([x, y]) => {
    const points = align(table, x, y);
    return points.x.length < FEWEST_POINTS ? [] : [relate(points, x, y)];
  });
  if (relations.length === 0) return null;
  const series = new Map<string, SeriesReport & { readonly n: number }>();
  for (const { n, x, y } of relations) for (const each of [x, y]) series.set(each.name, { ...each, n });
  return {
    correlations: relations.map(correlationRow),
    series: [...series.values()].map(({ name, n, mean, standardDeviation, minimum, maximum, againstStep }) => ({
      name,
      points: n,
      mean,
      standardDeviation,
      minimum,
      maximum,
      trend: againstStep.coefficient,
    })),
    caveats: at(relations, 0).caveats,
  };
}

function correlationRow({
  n,
  x,
  y,
  spearman,
  pearson,
  bootstrap,
  effective,
  firstDifferences,
}: Relation): CorrelationRow {
  return {
    x: x.name,
    y: y.name,
    points: n,
    spearman: spearman.coefficient,
    p: spearman.p,
    effectivePoints: effective?.n ?? null,
    effectiveP: effective?.spearman.p ?? null,
    pearson: pearson.coefficient,
    interval: bootstrap?.spearman ?? null,
    differences: firstDifferences.spearman.coefficient,
  };
}
