/** Statistics of a run's figures for the report page. */
import type { MetricColumns, RunStatistics } from "../../report/html/run-data";

/** Null until there are enough steps. */
export function statisticsOf(_metrics: MetricColumns): RunStatistics | null {
  return null;
}
