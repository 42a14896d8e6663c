import { at } from "../../base/must";
import { type CurveFit, fittedValue } from "../statistics/fit";
import { type Axes, drawAxes, place, ticks } from "./axes";
import { type LegendEntry, legend, page } from "./frame";
import { INK, seriesColour } from "./palette";
import { areShares, displayName, extent, type FigureRun } from "./run";
import { clipped, element, polyline } from "./svg";

const WIDTH = 860;
const PANEL = 330;
/** More points than this are averaged in stretches, which the subtitle says. */
const MOST_POINTS = 1200;

/**
 * Both series against the step or another column. Two shares have one panel; other pairs, whose units differ, one each.
 *
 * @param runs at least one, all of the same two series
 */
export function trajectoriesFigure(runs: readonly FigureRun[]): string {
  const [first] = runs;
  if (first === undefined) throw new RangeError("a figure needs a run");
  const isOnePanel = areShares(...runs.flatMap(({ points }) => [points.x, points.y]));
  const panels = isOnePanel ? [["y", "x"] as const] : [["y"] as const, ["x"] as const];
  const body: string[] = [];
  let top = 82;
  for (const block of legendBlocks(runs)) {
    const { parts, height } = legend(block, 24, top);
    body.push(...parts);
    top += height + 10;
  }
  const stride = Math.max(...runs.map(({ points }) => Math.ceil(points.x.length / MOST_POINTS)));
  const x = ticks(...extent(...runs.map(({ against }) => against.values)), { count: 8, rounded: false });
  for (const [panel, keys] of panels.entries()) {
    const box = {
      left: 84,
      right: WIDTH - 36,
      top: top + panel * (PANEL + 44),
      bottom: top + panel * (PANEL + 44) + PANEL,
    };
    const series = runs.flatMap(({ points }) => keys.map((each) => points[each]));
    const y = isOnePanel ? ticks(0, 1, { percent: true }) : ticks(...extent(...series));
    const axes = { box, x, y };
    const isLast = panel === panels.length - 1;
    body.push(
      ...drawAxes(
        axes,
        isLast ? displayName(first.against.name) : "",
        keys.length === 1 ? clipped(displayName(first.relation[keys[0]].name), 44) : "share of trajectories",
      ),
    );
    for (const [index, run] of runs.entries())
      for (const each of keys) body.push(...drawSeries(axes, run, each, look(runs.length, index, each), stride));
  }
  const names = runs.length === 1 ? clipped(first.name, 60) : `${runs.length} runs`;
  const subtitle =
    `${first.relation.n} steps` +
    (runs.length > 1 ? " in the first run" : "") +
    (stride > 1 ? `; each point is the mean of ${stride} steps` : "");
  return page(WIDTH, top + panels.length * (PANEL + 44) + 22, names, subtitle, body);
}

interface Look {
  readonly colour: string;
  readonly dashes: string;
  readonly fitDashes: string;
}

/** One run: a colour per series. Several: a colour per run, and the second series dotted. */
function look(runCount: number, index: number, key: "x" | "y"): Look {
  if (runCount === 1) return { colour: seriesColour(key === "y" ? 0 : 1), dashes: "none", fitDashes: "6 4" };
  const colour = seriesColour(index);
  return key === "y" ? { colour, dashes: "none", fitDashes: "6 4" } : { colour, dashes: "2 5", fitDashes: "6 4 1 4" };
}

/** One run: a row per series, with its fit. Several: the styles of both series, then a row per run with its fits. */
function legendBlocks(runs: readonly FigureRun[]): LegendEntry[][][] {
  const [first] = runs;
  if (first === undefined) return [];
  const name = (key: "x" | "y") => clipped(displayName(first.relation[key].name), 44);
  const fitEntry = ({ fits }: FigureRun, key: "x" | "y", { colour, fitDashes }: Look): LegendEntry => {
    const fit = fits[key];
    return fit === undefined
      ? { text: "no curve identified", sample: () => "" }
      : { text: fitText(fit), sample: line(colour, fitDashes, FIT_WIDTH) };
  };
  const keys = ["y", "x"] as const;
  if (runs.length === 1)
    return [
      keys.map((key) => {
        const style = look(1, 0, key);
        return [{ text: name(key), sample: line(style.colour, style.dashes, LINE_WIDTH) }, fitEntry(first, key, style)];
      }),
    ];
  const fitted = keys.filter((key) => runs.some(({ fits }) => fits[key] !== undefined));
  return [
    keys.map((key) => {
      const { dashes, fitDashes } = look(runs.length, 0, key);
      const series = { text: name(key), sample: line(INK, dashes, LINE_WIDTH) };
      return fitted.includes(key) ? [series, { text: "its fit", sample: line(INK, fitDashes, FIT_WIDTH) }] : [series];
    }),
    runs.map((run, index) => {
      const { colour } = look(runs.length, index, "y");
      return [
        { text: clipped(run.name, 32), sample: line(colour, "none", LINE_WIDTH) },
        ...fitted.map((key) => fitEntry(run, key, look(runs.length, index, key))),
      ];
    }),
  ];
}

/** `logistic fit, R² 0.982`. */
function fitText({ curve, rSquared }: CurveFit): string {
  return `${curve} fit, R² ${rSquared.toFixed(3)}`;
}

function line(stroke: string, dashes: string, width: number): (x: number, y: number) => string {
  return (x, y) =>
    element("line", { x1: x, x2: x + 26, y1: y, y2: y, stroke, "stroke-width": width, "stroke-dasharray": dashes });
}

const [LINE_WIDTH, FIT_WIDTH] = [2, 1.4];

function drawSeries(
  axes: Axes,
  run: FigureRun,
  key: "x" | "y",
  { colour, dashes, fitDashes }: Look,
  stride: number,
): string[] {
  const { values } = run.against;
  const averaged = (series: ArrayLike<number>, from: number) => {
    const to = Math.min(series.length, from + stride);
    let total = 0;
    for (let i = from; i < to; i++) total += at(series, i);
    return total / (to - from);
  };
  const points: [number, number][] = [];
  for (let i = 0; i < values.length; i += stride)
    points.push(place(axes, averaged(values, i), averaged(run.points[key], i)));
  const parts = [polyline(points, { stroke: colour, "stroke-width": LINE_WIDTH, "stroke-dasharray": dashes })];
  if (points.length <= 60)
    for (const [cx, cy] of points)
      parts.push(element("circle", { cx, cy, r: 2.6, fill: colour, stroke: "#ffffff", "stroke-width": 0.6 }));
  const fit = run.fits[key];
  if (fit !== undefined) {
    const [low, high] = extent(values);
    const curve = Array.from({ length: 121 }, (_, i) => low + ((high - low) * i) / 120).map((x) => {
      const y = fittedValue(fit, x);
      return place(axes, x, Math.max(axes.y.low, Math.min(axes.y.high, y)));
    });
    parts.push(
      polyline(curve, { stroke: colour, "stroke-width": FIT_WIDTH, "stroke-dasharray": fitDashes, opacity: 0.75 }),
    );
  }
  return parts;
}
