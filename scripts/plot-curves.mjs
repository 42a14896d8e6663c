// Draws columns of metrics.jsonl files as one SVG: node scripts/plot-curves.mjs OUT.svg TITLE COLUMN[,COLUMN...]
// FILE.jsonl [FILE.jsonl ...] One line per column and file; several files of one column share its colour, so that seeds
// read as a band.
import { readFileSync, writeFileSync } from "node:fs";

const [out, title, columnList, ...files] = process.argv.slice(2);
if (out === undefined || title === undefined || columnList === undefined || files.length === 0) {
  console.error("usage: node scripts/plot-curves.mjs OUT.svg TITLE COLUMN[,COLUMN...] FILE.jsonl [FILE.jsonl ...]");
  process.exit(2);
}
const columns = columnList.split(",");
const colours = ["#2563eb", "#d97706", "#059669", "#dc2626"];
const [width, height, left, right, top, bottom] = [760, 340, 56, 20, 44, 40];

const runs = files.map((file) =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line)),
);
const values = runs.flatMap((rows) => rows.flatMap((row) => columns.map((column) => row[column])));
const isShare = values.every((value) => value >= 0 && value <= 1);
const low = isShare ? 0 : Math.floor(Math.min(...values) * 2) / 2;
const high = isShare ? 1 : Math.ceil(Math.max(...values) * 2) / 2;
const lastStep = Math.max(...runs.map((rows) => rows.at(-1).step));
const x = (/** @type {number} */ step) => left + (step / lastStep) * (width - left - right);
const y = (/** @type {number} */ value) => height - bottom - ((value - low) / (high - low)) * (height - top - bottom);
const text = (/** @type {string} */ body) => body.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const parts = [
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
  `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
  `<text x="${left}" y="22" font-size="15" font-weight="600" fill="#111827">${text(title)}</text>`,
];
for (let i = 0; i <= 4; i++) {
  const value = low + ((high - low) * i) / 4;
  const label = isShare ? `${Math.round(value * 100)}%` : value.toFixed(2);
  parts.push(
    `<line x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" stroke="#e5e7eb"/>`,
    `<text x="${left - 8}" y="${y(value) + 4}" text-anchor="end" fill="#6b7280">${label}</text>`,
  );
  const step = Math.round((lastStep * i) / 4);
  parts.push(`<text x="${x(step)}" y="${height - bottom + 18}" text-anchor="middle" fill="#6b7280">${step}</text>`);
}
parts.push(`<text x="${width - right}" y="${height - 6}" text-anchor="end" fill="#6b7280">step</text>`);
columns.forEach((column, index) => {
  const colour = colours[index % colours.length];
  for (const rows of runs) {
    const points = rows.map((row) => `${x(row.step).toFixed(1)},${y(row[column]).toFixed(1)}`).join(" ");
    parts.push(
      `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.6" opacity="${runs.length > 1 ? 0.7 : 1}"/>`,
    );
  }
  const at = width - right - 170 * (columns.length - index);
  parts.push(
    `<rect x="${at}" y="13" width="14" height="4" fill="${colour}"/>`,
    `<text x="${at + 20}" y="20" fill="#111827">${text(column)}</text>`,
  );
});
parts.push("</svg>", "");
writeFileSync(out, parts.join("\n"));
