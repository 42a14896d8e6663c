/** Rows of a metrics.jsonl as columns by step, forgiving of what killed runs and other writers leave in one. */
import { isRecord, type JsonObject } from "../../base/json";
import { at } from "../../base/must";

export interface MetricsTable {
  /** Per name and step, the value of the last row that has the name; null where that is no finite number. */
  readonly columns: ReadonlyMap<string, ReadonlyMap<number, number | null>>;
  readonly rows: number;
  /** Rows whose step an earlier row had, as after a resume. */
  readonly repeatedSteps: number;
  /** Lines that are no row with a step, by number from 1. */
  readonly unreadableLines: readonly number[];
  /** Whether the last line breaks off, as after a kill in the middle of writing. */
  readonly isTorn: boolean;
}

const STEP_NAMES = ["step", "train/global_step", "global_step"];
/**
 * Python's json writes these bare words; they stand for no value. Texts are matched too, so that words inside them
 * stay.
 */
const TEXT_OR_NOT_A_NUMBER = /"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)\b/g;

/** Reads JSON lines that hold a step each. Never throws. */
export function parseMetrics(text: string): MetricsTable {
  const columns = new Map<string, Map<number, number | null>>();
  const steps = new Set<number>();
  const unreadableLines: number[] = [];
  let rows = 0;
  let repeatedSteps = 0;
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const last = lines.length - 1;
  let isTorn = false;
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const row = parseRow(line);
    const step = row === undefined ? undefined : stepOf(row);
    if (row === undefined || step === undefined) {
      if (i === last) isTorn = true;
      else unreadableLines.push(i + 1);
      continue;
    }
    rows++;
    if (steps.has(step)) repeatedSteps++;
    steps.add(step);
    for (const [name, value] of Object.entries(row)) {
      const column = columns.get(name) ?? new Map<number, number | null>();
      columns.set(name, column.set(step, typeof value === "number" && Number.isFinite(value) ? value : null));
    }
  }
  return { columns, rows, repeatedSteps, unreadableLines, isTorn };
}

/** What a text without a single row of metrics is, as far as its beginning tells. */
export function describeOther(text: string): string {
  const start = text.replace(/^\uFEFF/, "").trimStart();
  if (start === "") return "the file is empty: the run has not ended a step yet";
  if (start.includes("\0") || start.includes("\uFFFD")) return "the file is no text";
  const line = at(start.split(/\r?\n/, 1), 0);
  const row = parseRow(line);
  if (row !== undefined) {
    const names = Object.keys(row).slice(0, 4);
    return `its lines are JSON without a step${names.length === 0 ? "" : `; the first one has ${names.join(", ")}`}`;
  }
  try {
    const whole: unknown = JSON.parse(start);
    return `the file is one JSON ${Array.isArray(whole) ? "list" : "value"}, not a row per line`;
  } catch {
    const shown = [...line].length > 60 ? `${[...line].slice(0, 60).join("")}...` : line;
    return `its first line is no JSON: ${shown}`;
  }
}

function parseRow(line: string): JsonObject | undefined {
  for (const text of [line, line.replace(TEXT_OR_NOT_A_NUMBER, (match) => (match.startsWith('"') ? match : "null"))])
    try {
      const value: unknown = JSON.parse(text);
      return isRecord(value) ? value : undefined;
    } catch {
      // The second text, without bare words, or no row at all.
    }
  return undefined;
}

function stepOf(row: JsonObject): number | undefined {
  return STEP_NAMES.map((name) => row[name]).find(
    (value): value is number => typeof value === "number" && Number.isFinite(value),
  );
}

/**
 * The names of a table's columns that a short name may mean, the likeliest first: itself, then under `train/`, then
 * under `rollout/`.
 */
export function columnName(table: MetricsTable, name: string): string | undefined {
  return [name, `train/${name}`, `rollout/${name}`].find((candidate) => table.columns.has(candidate));
}

/** Names of the columns that hold a number anywhere. */
export function numericColumns(table: MetricsTable): string[] {
  return [...table.columns].flatMap(([name, column]) =>
    [...column.values()].some((value) => value !== null) ? [name] : [],
  );
}

/** Two series over the steps that have both, in order of steps. */
export interface Aligned {
  readonly steps: Float64Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Steps of either series that are left out because the other one has no row or no number there. */
  readonly dropped: number;
}

/** Joins two columns on the step. A column that the table does not have counts as empty. */
export function align(table: MetricsTable, xName: string, yName: string): Aligned {
  const xs = table.columns.get(xName) ?? new Map<number, number | null>();
  const ys = table.columns.get(yName) ?? new Map<number, number | null>();
  const points: [number, number, number][] = [];
  for (const [step, x] of xs) {
    const y = ys.get(step) ?? null;
    if (x !== null && y !== null) points.push([step, x, y]);
  }
  points.sort(([a], [b]) => a - b);
  return {
    steps: Float64Array.from(points, ([step]) => step),
    x: Float64Array.from(points, ([, x]) => x),
    y: Float64Array.from(points, ([, , y]) => y),
    dropped: new Set([...xs.keys(), ...ys.keys()]).size - points.length,
  };
}
