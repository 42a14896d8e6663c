import { fittedValue } from "../statistics/fit";
import { bestFitText } from "./fit-text";
import { type Axes, drawAxes, type LegendEntry, legend, page, place } from "./frame";
import { seriesColour } from "./palette";
import { areShares, displayName, extent, type FigureRun } from "./run";
import { clipped, element, polyline } from "./svg";
import { ticks } from "./ticks";

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
  const key = legend(legendEntries(runs), 2, 24, WIDTH - 24, 82);
  const top = 92 + key.height;
  const stride = Math.max(...runs.map(({ points }) => Math.ceil(points.x.length / MOST_POINTS)));
  const body = [...key.parts];
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
}

/** One run: a colour per series. Several: a colour per run, and the second series dashed. */
function look(runCount: number, index: number, key: "x" | "y"): Look {
  if (runCount === 1) return { colour: seriesColour(key === "y" ? 0 : 1), dashes: "none" };
  return { colour: seriesColour(index), dashes: key === "y" ? "none" : "2 5" };
}

function legendEntries(runs: readonly FigureRun[]): LegendEntry[] {
  const stroke =
    ({ colour, dashes }: Look, width: number) =>
    (x: number, y: number) =>
      element("line", {
        x1: x,
        x2: x + 26,
        y1: y,
        y2: y,
        stroke: colour,
        "stroke-width": width,
        "stroke-dasharray": dashes,
      });
  return runs.flatMap((run, index) =>
    (["y", "x"] as const).flatMap((key) => {
      const style = look(runs.length, index, key);
      const name = displayName(run.relation[key].name);
      const entries = [
        { text: runs.length === 1 ? name : clipped(`${run.name}: ${name}`, 52), sample: stroke(style, 2.4) },
      ];
      const fit = runs.length === 1 ? run.fits[key] : undefined;
      if (fit !== undefined)
        entries.push({ text: bestFitText(fit), sample: stroke({ ...style, dashes: FIT_DASHES }, 1.4) });
      return entries;
    }),
  );
}

const FIT_DASHES = "6 4";

function drawSeries(axes: Axes, run: FigureRun, key: "x" | "y", { colour, dashes }: Look, stride: number): string[] {
  const { values } = run.against;
  const averaged = (series: ArrayLike<number>, from: number) => {
    const to = Math.min(series.length, from + stride);
    let total = 0;
    for (let i = from; i < to; i++) total += series[i] ?? 0;
    return total / (to - from);
  };
  const points: [number, number][] = [];
  for (let i = 0; i < values.length; i += stride)
    points.push(place(axes, averaged(values, i), averaged(run.points[key], i)));
  const parts = [polyline(points, { stroke: colour, "stroke-width": 2, "stroke-dasharray": dashes })];
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
    parts.push(polyline(curve, { stroke: colour, "stroke-width": 1.4, "stroke-dasharray": FIT_DASHES, opacity: 0.75 }));
  }
  return parts;
}
