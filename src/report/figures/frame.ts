/** What figures have in common: the page with its title, and the box of axes that points are placed in. */
import { AXIS, GRID, INK, QUIET } from "./palette";
import { element, label, short } from "./svg";
import type { Ticks } from "./ticks";

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
    const [, at] = place(axes, x.low, value);
    parts.push(element("line", { x1: box.left, x2: box.right, y1: at, y2: at, stroke: GRID }));
    parts.push(label(box.left - 9, at + 4.2, y.labels[i] ?? "", { "text-anchor": "end", fill: QUIET }));
  }
  for (const [i, value] of x.at.entries()) {
    const [at] = place(axes, value, y.low);
    parts.push(element("line", { x1: at, x2: at, y1: box.bottom, y2: box.bottom + 5, stroke: AXIS }));
    parts.push(label(at, box.bottom + 20, x.labels[i] ?? "", { "text-anchor": "middle", fill: QUIET }));
  }
  parts.push(element("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, stroke: AXIS }));
  if (xName !== "")
    parts.push(label((box.left + box.right) / 2, box.bottom + 43, xName, { "text-anchor": "middle", fill: INK }));
  parts.push(
    label(22, middle, yName, { "text-anchor": "middle", fill: INK, transform: `rotate(-90 22 ${short(middle)})` }),
  );
  return parts;
}

/** The whole figure. */
export function page(width: number, height: number, title: string, subtitle: string, body: readonly string[]): string {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    "font-family": "'DejaVu Sans', Verdana, sans-serif",
    "font-size": 12,
  };
  const parts = [
    element("rect", { width, height, fill: "#ffffff" }),
    label(24, 34, title, { "font-size": 17, fill: INK }),
    label(24, 56, subtitle, { fill: QUIET }),
    ...body,
  ];
  return `${element("svg", attributes, "\n", parts.join("\n"), "\n")}\n`;
}

export interface LegendEntry {
  readonly text: string;
  /** The sample, drawn within 26 x 12 at (x, y - 6). */
  readonly sample: (x: number, y: number) => string;
}

/** Width of a character of 12 pixels, on the wide side: entries are never too close. */
const CHARACTER = 7.2;

/**
 * Entries in even columns, row by row.
 *
 * @param most columns at most; fewer where the longest entry asks for it
 * @returns the drawing, and the height it takes
 */
export function legend(
  entries: readonly LegendEntry[],
  most: number,
  left: number,
  right: number,
  top: number,
): { parts: string[]; height: number } {
  const widest = Math.max(0, ...entries.map(({ text }) => 34 + [...text].length * CHARACTER + 16));
  const columns = Math.max(1, Math.min(most, Math.floor((right - left) / widest)));
  const parts = entries.flatMap(({ text, sample }, i) => {
    const x = left + (i % columns) * widest;
    const y = top + Math.floor(i / columns) * 20;
    return [sample(x, y), label(x + 34, y + 4.2, text, { fill: INK })];
  });
  return { parts, height: 20 * Math.ceil(entries.length / columns) };
}
