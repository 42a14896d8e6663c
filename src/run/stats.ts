/** `stats`: how two series of a run go together, how they grow, and figures of both. */
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { errorCode, reasonOf, UserError } from "../base/errors";
import { at } from "../base/must";
import { nearest } from "../base/nearest";
import { renderPng } from "../report/figures/png";
import type { FigureRun } from "../report/figures/run";
import { scatterFigure } from "../report/figures/scatter";
import { trajectoriesFigure } from "../report/figures/trajectories";
import { bestFit, type CurveFit, fitCurves, type NoFit } from "../report/statistics/fit";
import {
  type Aligned,
  align,
  columnName,
  describeOther,
  type MetricsTable,
  numericColumns,
  parseMetrics,
} from "../report/statistics/metrics-table";
import { FEWEST_POINTS, relate } from "../report/statistics/relation";
import { packageRoot } from "../sandbox/node/paths";

/** What is asked of a run. */
export interface StatsQuestion {
  readonly x: string;
  readonly y: string;
  /** Column that the curves are fitted against, or `step`. */
  readonly against: string;
  readonly seed: number;
}

/** What is said of one run. */
export interface StatsReport {
  readonly figure: Omit<FigureRun, "fits">;
  /** Name of the column that the curves are fitted against. */
  readonly against: string;
  readonly fits: { readonly x: readonly (CurveFit | NoFit)[]; readonly y: readonly (CurveFit | NoFit)[] };
  /** Remarks on the file, such as lines that were skipped. */
  readonly notes: readonly string[];
}

/**
 * Reads one run.
 *
 * @param path run folder, or a file of metrics
 * @throws UserError when there is nothing to read, no such series, or too few steps that have both
 */
export async function readStats(path: string, question: StatsQuestion): Promise<StatsReport> {
  const { file, text } = await metricsText(path);
  const table = parseMetrics(text);
  if (table.rows === 0) throw new UserError(`${file}: no line is a row of metrics with a step; ${describeOther(text)}`);
  const [xName, yName] = [columnOf(table, question.x, file), columnOf(table, question.y, file)];
  const points = align(table, xName, yName);
  if (points.x.length < FEWEST_POINTS)
    throw new UserError(
      `${file}: ${points.x.length} steps have both ${xName} and ${yName}, and a correlation needs at least ${FEWEST_POINTS}; train for more steps`,
    );
  const against = question.against === "step" ? "step" : columnOf(table, question.against, file);
  const { points: placed, values } = placedPoints(table, points, against);
  if (values.length < FEWEST_POINTS)
    throw new UserError(`${file}: only ${values.length} steps have ${against} beside both series; use --against step`);
  const order = Array.from(values, (_, i) => i).sort((a, b) => at(values, a) - at(values, b));
  const ordered = (series: Float64Array) => Float64Array.from(order, (i) => at(series, i));
  return {
    figure: {
      name: basename(path.endsWith(".jsonl") ? path : resolve(path)),
      points: placed,
      relation: relate(points, xName, yName, question.seed),
      against: { name: against, values },
    },
    against,
    fits: {
      x: fitCurves(ordered(values), ordered(placed.x)),
      y: fitCurves(ordered(values), ordered(placed.y)),
    },
    notes: notesOn(table, points.dropped),
  };
}

async function metricsText(path: string): Promise<{ file: string; text: string }> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined)
    throw new UserError(`${path}: no such folder or file; name the --output-dir of a training, or a metrics.jsonl`);
  const file = stats.isDirectory() ? join(path, "metrics.jsonl") : path;
  try {
    return { file, text: await readFile(file, "utf8") };
  } catch (error) {
    if (errorCode(error) === "ENOENT")
      throw new UserError(`${path} has no metrics.jsonl, so it is no run folder; name the --output-dir of a training`);
    throw new UserError(`cannot read ${file}: ${reasonOf(error)}`);
  }
}

function columnOf(table: MetricsTable, name: string, file: string): string {
  const found = columnName(table, name);
  if (found !== undefined) return found;
  const best = nearest(name, numericColumns(table));
  throw new UserError(`${file} has no series ${name}${best === undefined ? "" : `; the nearest one is ${best}`}`);
}

/** The points that have a place on the horizontal axis, and their places. */
function placedPoints(
  table: MetricsTable,
  points: Aligned,
  against: string,
): { points: Aligned; values: Float64Array } {
  if (against === "step") return { points, values: points.steps };
  const column = table.columns.get(against);
  const at = Array.from(points.steps, (step) => column?.get(step) ?? null);
  const pick = (series: Float64Array) => series.filter((_, i) => at[i] !== null);
  return {
    points: { ...points, steps: pick(points.steps), x: pick(points.x), y: pick(points.y) },
    values: Float64Array.from(at.filter((value) => value !== null)),
  };
}

function notesOn({ repeatedSteps, unreadableLines, isTorn }: MetricsTable, dropped: number): string[] {
  const steps = (count: number) => `${count} ${count === 1 ? "step" : "steps"}`;
  const notes: string[] = [];
  if (dropped > 0) notes.push(`${steps(dropped)} left out: one of the two series has no number there`);
  if (repeatedSteps > 0) notes.push(`${steps(repeatedSteps)} written again, as after a resume: the last row counts`);
  if (unreadableLines.length > 0)
    notes.push(
      `${unreadableLines.length} ${unreadableLines.length === 1 ? "line is" : "lines are"} no row with a step and left out, the first is line ${unreadableLines[0]}`,
    );
  if (isTorn) notes.push("the last line breaks off, as of a run that was killed, and is left out");
  return notes;
}

/**
 * Draws all runs into one scatter and one figure of trajectories.
 *
 * @param folders by format; null: not in that format
 * @returns the files that were written
 * @throws UserError when one cannot be written
 */
export async function writeFigures(
  reports: readonly StatsReport[],
  { svg, png }: { readonly svg: string | null; readonly png: string | null },
): Promise<string[]> {
  if (svg === null && png === null) return [];
  const runs: FigureRun[] = reports.map(({ figure, fits }) => ({
    ...figure,
    fits: { x: bestFit(fits.x), y: bestFit(fits.y) },
  }));
  const written: string[] = [];
  for (const [name, text] of [
    ["scatter", scatterFigure(runs)],
    ["trajectories", trajectoriesFigure(runs)],
  ] as const) {
    if (svg !== null) written.push(await writeFigure(svg, `${name}.svg`, text));
    if (png !== null) written.push(await writeFigure(png, `${name}.png`, await pngOf(text)));
  }
  return written;
}

async function writeFigure(folder: string, name: string, data: string | Uint8Array): Promise<string> {
  const file = join(folder, name);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, data);
    return file;
  } catch (error) {
    throw new UserError(`cannot write ${file}: ${reasonOf(error)}`);
  }
}

/** An SVG as PNG, its texts in the DejaVu font that the build puts beside the programs. */
async function pngOf(svg: string): Promise<Uint8Array> {
  const wasm = createRequire(import.meta.url).resolve("@resvg/resvg-wasm/index_bg.wasm");
  const [code, font] = await Promise.all([readFile(wasm), readFile(join(packageRoot(), "dist/fonts/DejaVuSans.ttf"))]);
  return renderPng(svg, new Uint8Array(code), new Uint8Array(font));
}
