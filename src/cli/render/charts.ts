import { at } from "../../base/must";

const LEVELS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/**
 * A curve of shares in one line of text. More values than columns are averaged in equal stretches, so that the whole
 * course stays in view; what is no finite number leaves a gap.
 */
export function sparkline(shares: readonly number[], width: number): string {
  const columns = Math.min(width, shares.length);
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * shares.length) / columns);
    const to = Math.floor(((column + 1) * shares.length) / columns);
    const part = shares.slice(from, to);
    const mean = part.reduce((sum, share) => sum + share, 0) / part.length;
    return Number.isFinite(mean) ? at(LEVELS, Math.max(0, Math.min(7, Math.floor(mean * 8)))) : " ";
  }).join("");
}

/** A share as a bar of at most `width` columns, filled up with spaces; of what is no number, spaces alone. */
export function bar(share: number, width: number): string {
  if (Number.isNaN(share)) return " ".repeat(width);
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * width * 8);
  const text = "█".repeat(Math.floor(eighths / 8)) + at(EIGHTHS, eighths % 8);
  return text.padEnd(width);
}

/** Rows of cells with the columns lined up: the first to the left, the others to the right. */
export function alignColumns(rows: readonly (readonly string[])[], gap = 3): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, [...cell].length);
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join(" ".repeat(gap))
      .trimEnd(),
  );
}
