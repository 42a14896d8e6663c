/** Round positions on an axis, and how they are written. */

export interface Ticks {
  readonly low: number;
  readonly high: number;
  readonly at: readonly number[];
  readonly labels: readonly string[];
}

export interface TickWishes {
  /** About how many. */
  readonly count?: number;
  /** Whether the axis ends at a tick on both sides, rather than where the data end. */
  readonly rounded?: boolean;
  readonly percent?: boolean;
}

/** Steps of 1, 2 or 5 times a power of ten that cover the range. */
export function ticks(
  low: number,
  high: number,
  { count = 5, rounded = true, percent = false }: TickWishes = {},
): Ticks {
  let [from, to] = [low, high];
  if (!(to > from)) {
    const room = Math.abs(from) > 0 ? Math.abs(from) * 0.1 : 1;
    [from, to] = [from - room, to + room];
  }
  const raw = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((each) => each * power >= raw * 0.999) ?? 10);
  const slack = 1e-9 * step;
  const first = rounded ? Math.floor((from + slack) / step) : Math.ceil((from - slack) / step);
  const last = rounded ? Math.ceil((to - slack) / step) : Math.floor((to + slack) / step);
  const at = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const digits = Math.max(0, -Math.floor(Math.log10(percent ? 100 * step : step) + 1e-9));
  const label = (value: number) => {
    if (percent) return `${(100 * value).toFixed(digits)}%`;
    const magnitude = Math.max(Math.abs(from), Math.abs(to));
    for (const [size, unit] of [
      [1e9, "G"],
      [1e6, "M"],
      [1e4, "k"],
    ] as const)
      if (magnitude >= size) {
        const scale = size === 1e4 ? 1e3 : size;
        return value === 0 ? "0" : `${Number((value / scale).toPrecision(6))}${unit}`;
      }
    return magnitude < 1e-4 ? value.toExponential(1) : value.toFixed(digits);
  };
  return {
    low: rounded ? first * step : from,
    high: rounded ? last * step : to,
    at,
    labels: at.map((value) => label(Math.abs(value) < slack ? 0 : value)),
  };
}
