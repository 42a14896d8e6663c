/** Axes of a chart: ranges, ticks, curves as path data. */

export interface Scale {
  readonly low: number;
  readonly high: number;
}

const STEPS = [1, 2, 2.5, 5, 10];

/** Round numbers within a range, about `count` of them. */
export function ticks({ low, high }: Scale, count: number): number[] {
  const raw = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = (STEPS.find((each) => each * power >= raw) ?? 10) * power;
  const made: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) made.push(k === 0 ? 0 : k * step);
  return made;
}

/** The range that shows all figures; from 0 where nothing is below it. */
export function rangeOf(values: readonly (number | null)[]): Scale {
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
    return near.reduce((sum, each) => sum + each, 0) / near.length;
  });
}

/**
 * Path data of a curve; a missing figure leaves a gap. Where several points share a pixel, their least and greatest are drawn.
 *
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
    const value = values[i] ?? null;
    if (value === null) {
      flush();
      open = false;
      continue;
    }
    const at = crowded ? Math.round(x(step)) : x(step);
    if (at !== pixel) flush();
    const py = y(value);
    [least, greatest] = count === 0 || at !== pixel ? [py, py] : [Math.min(least, py), Math.max(greatest, py)];
    pixel = at;
    last = py;
    count++;
  }
  flush();
  return parts.join("");
}
