/** What figures have in common: the page with its title, and the legend. */
import { at } from "../../base/must";
import { INK, QUIET } from "./palette";
import { element, label } from "./svg";

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
      const left = x;
      x += at(widths, column);
      return [sample(left, y), label(left + 34, y + 4.2, text, { fill: INK })];
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
