/** Everything that is said of two series of one run. */
import { at } from "../../base/must";
import { type BootstrapIntervals, blockBootstrap, blockLength } from "./bootstrap";
import { type Correlation, described, pearson, spearman } from "./correlation";
import type { Aligned } from "./metrics-table";
import { type Summary, summarise } from "./moments";
import { effectiveSampleSize, firstDifferences, lagOneAutocorrelation } from "./serial";

/** One series of a pair. */
export interface SeriesReport extends Summary {
  readonly name: string;
  /** Spearman's rho of the series against the step. */
  readonly againstStep: Correlation;
  readonly lagOneAutocorrelation: number | null;
}

/** All that is said of two series of one run. */
export interface Relation {
  readonly n: number;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly dropped: number;
  readonly x: SeriesReport;
  readonly y: SeriesReport;
  readonly spearman: Correlation;
  readonly pearson: Correlation;
  /** The same of the differences of neighbouring points: what is left when slow trends are taken out. */
  readonly firstDifferences: { readonly spearman: Correlation; readonly pearson: Correlation };
  /** Moving blocks; null with too few or too many points. */
  readonly bootstrap: BootstrapIntervals | null;
  /** Independent pairs worth as much, and rho judged as if there were only so many; null where a series is constant. */
  readonly effective: { readonly n: number; readonly spearman: Correlation } | null;
  /** Sentences to print with the figures. */
  readonly caveats: readonly string[];
}

/** The fewest pairs of which a correlation's p-value can be told. */
export const FEWEST_POINTS = 3;

/**
 * Everything that `zerotir stats` says of two series.
 *
 * @param points at least {@link FEWEST_POINTS}
 * @param seed of the bootstrap
 * @throws RangeError with fewer points
 */
export function relate(points: Aligned, xName: string, yName: string, seed = 0): Relation {
  const { steps, x, y, dropped } = points;
  const n = x.length;
  if (n < FEWEST_POINTS) throw new RangeError(`${n} points; a relation needs ${FEWEST_POINTS}`);
  const [xReport, yReport] = [seriesReport(xName, x, steps), seriesReport(yName, y, steps)];
  const [a, b] = [xReport.lagOneAutocorrelation, yReport.lagOneAutocorrelation];
  const rho = spearman(x, y);
  const [dx, dy] = [firstDifferences(x), firstDifferences(y)];
  const known = rho.coefficient !== null && a !== null && b !== null;
  const bootstrap = known ? blockBootstrap(x, y, blockLength(n, a, b), seed) : null;
  const effectiveN = known ? effectiveSampleSize(n, a, b) : null;
  return {
    n,
    firstStep: at(steps, 0),
    lastStep: at(steps, n - 1),
    dropped,
    x: xReport,
    y: yReport,
    spearman: rho,
    pearson: pearson(x, y),
    firstDifferences: { spearman: spearman(dx, dy), pearson: pearson(dx, dy) },
    bootstrap,
    effective: effectiveN === null ? null : { n: effectiveN, spearman: described(rho.coefficient, effectiveN) },
    caveats: caveats(n, effectiveN, bootstrap, xReport, yReport),
  };
}

function seriesReport(name: string, values: Float64Array, steps: Float64Array): SeriesReport {
  return {
    name,
    ...summarise(values),
    againstStep: spearman(steps, values),
    lagOneAutocorrelation: lagOneAutocorrelation(values),
  };
}

function caveats(
  n: number,
  effectiveN: number | null,
  bootstrap: BootstrapIntervals | null,
  x: SeriesReport,
  y: SeriesReport,
): string[] {
  const constant = [x, y].filter(({ minimum, maximum }) => minimum === maximum);
  if (constant.length > 0)
    return constant.map(
      ({ name, minimum }) => `${name} is ${minimum} at every aligned step, so no correlation is defined.`,
    );
  const sentences: string[] = [];
  if (effectiveN !== null && effectiveN < 0.9 * n)
    sentences.push(
      `Neighbouring steps resemble each other: the ${n} points tell about as much as ${Math.round(effectiveN)} ` +
        "independent ones, so the p-values and Fisher intervals, which assume independence, overstate the evidence.",
    );
  const trending = [x, y].every(
    ({ againstStep: { coefficient, p } }) =>
      coefficient !== null && Math.abs(coefficient) >= 0.3 && p !== null && p < 0.05,
  );
  if (trending)
    sentences.push(
      "Both series follow the step, which alone makes them correlate; the first differences are free of that trend.",
    );
  if (trending && bootstrap !== null)
    sentences.push(
      "Percentile bootstrap intervals of such series lean towards 0: few blocks often cover only a part of the trend.",
    );
  const filtered = [x.name, y.name].filter((name) => name.startsWith("train/"));
  if (filtered.length > 0)
    sentences.push(
      `${filtered.join(" and ")}: means over the trajectories trained on, after the group filter; ` +
        "rollout/ has all sampled.",
    );
  return sentences;
}
