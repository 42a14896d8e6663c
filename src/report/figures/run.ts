/** A run as figures show it, and how its names and figures are written. */
import type { CurveFit } from "../statistics/fit";
import type { Aligned } from "../statistics/metrics-table";
import type { Relation } from "../statistics/relation";

/** One run as figures show it. */
export interface FigureRun {
  readonly name: string;
  readonly points: Aligned;
  readonly relation: Relation;
  /** The horizontal axis of trajectories, one value per point. */
  readonly against: { readonly name: string; readonly values: ArrayLike<number> };
  /** Curves to draw through the two series. */
  readonly fits: { readonly x?: CurveFit | undefined; readonly y?: CurveFit | undefined };
}

/**
 * `train/rule_rewards` and `train/code_rewards` are the seed's names for what everyone calls accuracy and code ratio.
 */
export function displayName(column: string): string {
  const [, prefix = "", last = column] = /^(.*\/)?([^/]*)$/.exec(column) ?? [];
  const known = new Map([
    ["rule_rewards", "accuracy"],
    ["code_rewards", "code ratio"],
    ["num_tokens", "tokens"],
  ]).get(last);
  return known === undefined ? column : prefix === "" ? known : `${known} (${column})`;
}

/** Whether all values are shares, so that an axis from 0% to 100% suits them. */
export function areShares(...series: readonly ArrayLike<number>[]): boolean {
  return series.every((values) => Array.from(values).every((value) => value >= 0 && value <= 1));
}

/** Least and largest of several series. */
export function extent(...series: readonly ArrayLike<number>[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const values of series)
    for (const value of Array.from(values)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return [low, high];
}

/** `7.15e-71`, also below what a double can hold. */
export function pText(p: number | null, log10P: number | null): string {
  if (p === null) return "none";
  if (p >= 0.001) return p.toPrecision(3);
  if (p > 1e-300 || log10P === null) return p === 0 ? "0" : p.toExponential(2);
  const exponent = Math.floor(log10P);
  return `${(10 ** (log10P - exponent)).toFixed(2)}e${exponent}`;
}
