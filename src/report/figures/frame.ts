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
 * Rows of entries with the columns lined up.
 *
 * @returns the drawing, and the height it takes
 */
export function legend(
  rows: readonly (readonly LegendEntry[])[],
  left: number,
  top: number,
): { parts: string[]; height: number } {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, { text }] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, entryWidth(text));
  const parts = rows.flatMap((row, i) => {
    const y = top + i * 20;
    let x = left;
    return row.flatMap(({ text, sample }, column) => {
      const at = x;
      x += widths[column] ?? 0;
      return [sample(at, y), label(at + 34, y + 4.2, text, { fill: INK })];
    });
  });
  return { parts, height: 20 * rows.length };
}

/** Entries that have no order of rows and columns of their own, as rows that fit the width. */
export function legendRows(entries: readonly LegendEntry[], most: number, width: number): LegendEntry[][] {
  const widest = Math.max(1, ...entries.map(({ text }) => entryWidth(text)));
  const columns = Math.max(1, Math.min(most, Math.floor(width / widest)));
  return Array.from({ length: Math.ceil(entries.length / columns) }, (_, i) =>
    entries.slice(i * columns, (i + 1) * columns),
  );
}

function entryWidth(text: string): number {
  return 34 + [...text].length * CHARACTER + 16;
}
