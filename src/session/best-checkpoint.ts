/** Which checkpoint of a run is the best by a metric, in the words of Hugging Face's trainer. */
import * as z from "zod";
import { UserError } from "../base/errors";
import { nearest } from "../base/nearest";
import type { TrainOptions } from "../options/train";
import type { MetricsRow } from "./metrics";

/** The file in the folder of checkpoints that names it. */
export const BEST = "best.json";

export const bestCheckpoint = z.object({
  step: z.int().min(1),
  metric: z.string(),
  value: z.number(),
  greater_is_better: z.boolean(),
});
export type BestCheckpoint = z.output<typeof bestCheckpoint>;

type BestOptions = Pick<TrainOptions, "metricForBestModel" | "greaterIsBetter">;

/**
 * The best of `before` and the checkpoint of `row`; of equal ones the earlier. One that was the best by another metric
 * counts for nothing, nor does a row without a number there.
 */
export function bestOf(
  before: BestCheckpoint | undefined,
  row: MetricsRow,
  { metricForBestModel: metric, greaterIsBetter }: BestOptions,
): BestCheckpoint | undefined {
  if (metric === null) return undefined;
  const same = before?.metric === metric && before.greater_is_better === greaterIsBetter ? before : undefined;
  const value = figureOf(row, metric);
  if (typeof value !== "number" || !Number.isFinite(value)) return same;
  const isBetter = same === undefined || (greaterIsBetter ? value > same.value : value < same.value);
  return isBetter ? { step: row.step, metric, value, greater_is_better: greaterIsBetter } : same;
}

/** What is wrong with a metric that a row does not have; undefined where it has it. */
export function missingMetric(row: MetricsRow, metric: string): string | undefined {
  if (figureOf(row, metric) !== undefined) return undefined;
  const names = Object.keys(row)
    .filter((name) => name !== "step")
    .sort();
  return `--metric-for-best-model ${metric}: step ${row.step} has no such metric, so no checkpoint is the best one; the nearest name is ${nearest(metric, names)} (there are ${names.join(", ")})`;
}

function figureOf(row: MetricsRow, metric: string): number | null | undefined {
  return metric === "step" ? undefined : new Map(Object.entries(row)).get(metric);
}

export function bestJson(best: BestCheckpoint): string {
  return `${JSON.stringify(best, null, 2)}\n`;
}

/** @throws UserError when the file is not what was written */
export function readBest(text: string, file: string): BestCheckpoint {
  try {
    return bestCheckpoint.parse(JSON.parse(text));
  } catch {
    throw new UserError(`${file}: not the file that was written; name a checkpoint, or latest`);
  }
}
