/** Curves of a chart as numbers: the range of an axis, the moving mean, path data. */
import { at } from "../base/must";
import { mean } from "../base/statistics";

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** The range that shows all figures; from 0 where nothing is below it. */
export function rangeOf(values: readonly (number | null)[]): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return { low: 0, high: 1 };
  if (low >= 0) low = 0;
  if (high <= 0 && low < 0) high = 0;
  if (low === high) return { low: low - (low === 0 ? 0 : 1), high: high + 1 };
  const room = 0.06 * (high - low);
  return { low: low === 0 ? 0 : low - room, high: high === 0 ? 0 : high + room };
}

/**
 * Mean of each figure and those before it within a window.
 *
 * @param window points, at least 1
 */
export function movingMean(values: readonly (number | null)[], window: number): (number | null)[] {
  return values.map((value, end) => {
    if (value === null) return null;
    const near = values.slice(Math.max(0, end - window + 1), end + 1).filter((each) => each !== null);
    return mean(near);
  });
}

/**
 * Path data of a curve; a missing figure leaves a gap. Of several points that share a pixel the least, the greatest and
 * the last are drawn.
 *
 * @param values one for each step
 * @param x and y place a point in pixels
 */
export function linePath(
  steps: readonly number[],
  values: readonly (number | null)[],
  x: (step: number) => number,
  y: (value: number) => number,
): string {
  const parts: string[] = [];
  let open = false;
  const put = (px: number, py: number) => {
    parts.push(`${open ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`);
    open = true;
  };
  let pixel = Number.NaN;
  let [least, greatest, last, count] = [0, 0, 0, 0];
  const flush = () => {
    if (count === 0) return;
    if (count > 2) {
      put(pixel, least);
      put(pixel, greatest);
    }
    put(pixel, last);
    count = 0;
  };
  const crowded = steps.length > 600;
  for (const [i, step] of steps.entries()) {
    const value = at(values, i);
    if (value === null) {
      flush();
      open = false;
      continue;
    }
    const px = crowded ? Math.round(x(step)) : x(step);
    if (px !== pixel) flush();
    const py = y(value);
    [least, greatest] = count === 0 || px !== pixel ? [py, py] : [Math.min(least, py), Math.max(greatest, py)];
    pixel = px;
    last = py;
    count++;
  }
  flush();
  return parts.join("");
}
