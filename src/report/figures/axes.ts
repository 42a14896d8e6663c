/** Axes of a figure: round ticks and how they are written, and the box that points are placed in. */
import { at } from "../../base/must";
import { roundedToTicks, tickStep, ticksWithin } from "../../base/ticks";
import { AXIS, GRID, INK, QUIET } from "./palette";
import { element, label, short } from "./svg";

export interface Ticks {
  readonly low: number;
  readonly high: number;
  readonly at: readonly number[];
  /** One for each of `at`. */
  readonly labels: readonly string[];
}

export interface TickWishes {
  /** About how many. */
  readonly count?: number;
  /** Whether the axis ends at a tick on both sides, rather than where the data end. */
  readonly rounded?: boolean;
  readonly percent?: boolean;
}

/** Ticks that cover the range, with as many digits as tell them apart. */
export function ticks(
  low: number,
  high: number,
  { count = 5, rounded = true, percent = false }: TickWishes = {},
): Ticks {
  // Data of one value get an axis around it.
  const room = high > low ? 0 : Math.abs(low) > 0 ? Math.abs(low) * 0.1 : 1;
  const [from, to] = [low - room, high + room];
  const step = tickStep(to - from, count);
  const [first, last] = rounded ? roundedToTicks(from, to, step) : [from, to];
  const at = ticksWithin(first, last, step);
  const magnitude = Math.max(Math.abs(from), Math.abs(to));
  const digits = Math.max(0, -Math.floor(Math.log10(percent ? 100 * step : step) + 1e-9));
  const text = (value: number) => {
    if (percent) return `${(100 * value).toFixed(digits)}%`;
    for (const [size, scale, unit] of [
      [1e9, 1e9, "G"],
      [1e6, 1e6, "M"],
      [1e4, 1e3, "k"],
    ] as const)
      if (magnitude >= size) return value === 0 ? "0" : `${Number((value / scale).toPrecision(6))}${unit}`;
    return magnitude < 1e-4 ? value.toExponential(1) : value.toFixed(digits);
  };
  return { low: first, high: last, at, labels: at.map(text) };
}

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Axes {
  readonly box: Box;
  readonly x: Ticks;
  readonly y: Ticks;
}

/** Where a point of the data lies on the page. */
export function place({ box, x, y }: Axes, atX: number, atY: number): [number, number] {
  return [
    box.left + ((atX - x.low) / (x.high - x.low)) * (box.right - box.left),
    box.bottom - ((atY - y.low) / (y.high - y.low)) * (box.bottom - box.top),
  ];
}

/** Grid, ticks, tick labels and the names of both axes. */
export function drawAxes(axes: Axes, xName: string, yName: string): string[] {
  const { box, x, y } = axes;
  const middle = (box.top + box.bottom) / 2;
  const parts: string[] = [];
  for (const [i, value] of y.at.entries()) {
    const [, height] = place(axes, x.low, value);
    parts.push(element("line", { x1: box.left, x2: box.right, y1: height, y2: height, stroke: GRID }));
    parts.push(label(box.left - 9, height + 4.2, at(y.labels, i), { "text-anchor": "end", fill: QUIET }));
  }
  for (const [i, value] of x.at.entries()) {
    const [left] = place(axes, value, y.low);
    parts.push(element("line", { x1: left, x2: left, y1: box.bottom, y2: box.bottom + 5, stroke: AXIS }));
    parts.push(label(left, box.bottom + 20, at(x.labels, i), { "text-anchor": "middle", fill: QUIET }));
  }
  parts.push(element("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, stroke: AXIS }));
  if (xName !== "")
    parts.push(label((box.left + box.right) / 2, box.bottom + 43, xName, { "text-anchor": "middle", fill: INK }));
  parts.push(
    label(22, middle, yName, { "text-anchor": "middle", fill: INK, transform: `rotate(-90 22 ${short(middle)})` }),
  );
  return parts;
}
