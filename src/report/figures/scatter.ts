import { at } from "../../base/must";
import { drawAxes, place, ticks } from "./axes";
import { type LegendEntry, legend, legendRows, page } from "./frame";
import { AXIS, gradientColour, INK, QUIET, seriesColour } from "./palette";
import { areShares, displayName, extent, type FigureRun, pText } from "./run";
import { clipped, element, label } from "./svg";

const [WIDTH, HEIGHT] = [760, 560];
const MOST_POINTS = 4000;

/**
 * The two series against each other, one mark per step. One run is coloured by step; several by run.
 *
 * @param runs at least one, all of the same two series
 */
export function scatterFigure(runs: readonly FigureRun[]): string {
  const [first] = runs;
  if (first === undefined) throw new RangeError("a figure needs a run");
  const isSingle = runs.length === 1;
  const axis = (key: "x" | "y") => {
    const series = runs.map(({ points }) => points[key]);
    return ticks(...extent(...series), { count: 6, percent: areShares(...series) });
  };
  const entries: LegendEntry[] = isSingle
    ? []
    : runs.map(({ name, relation }, i) => ({
        text: `${clipped(name, 30)}, ρ ${relation.spearman.coefficient?.toFixed(3) ?? "undefined"}`,
        sample: (x, y) => mark(x + 18, y, i, seriesColour(i)),
      }));
  const key = legend(legendRows(entries, 3, WIDTH - 48), 24, 82);
  const axes = {
    box: { left: 84, right: WIDTH - (isSingle ? 104 : 36), top: 82 + key.height, bottom: HEIGHT - 62 },
    x: axis("x"),
    y: axis("y"),
  };
  const { x, y } = first.relation;
  const body = [...key.parts, ...drawAxes(axes, clipped(displayName(x.name), 80), clipped(displayName(y.name), 60))];
  const steps = extent(first.points.steps);
  for (const [index, { points }] of runs.entries()) {
    const stride = Math.ceil(points.x.length / MOST_POINTS);
    for (let i = 0; i < points.x.length; i += stride) {
      const spot = place(axes, at(points.x, i), at(points.y, i));
      const share = steps[1] > steps[0] ? (at(points.steps, i) - steps[0]) / (steps[1] - steps[0]) : 0;
      body.push(mark(...spot, index, isSingle ? gradientColour(share) : seriesColour(index)));
    }
  }
  if (isSingle) body.push(...stepScale(axes.box.right + 34, axes.box.top + 24, axes.box.bottom - 24, ...steps));
  const title = isSingle ? clipped(first.name, 60) : `${runs.length} runs`;
  const both = `${clipped(displayName(y.name), 40)} against ${clipped(displayName(x.name), 40)}, one mark per step`;
  return page(WIDTH, HEIGHT, title, isSingle ? subtitle(first) : both, body);
}

function subtitle({ relation: { n, spearman, pearson } }: FigureRun): string {
  const rho = spearman.coefficient;
  const r = pearson.coefficient;
  if (rho === null || r === null) return `${n} steps; one series is constant, so no correlation is defined`;
  const p = pText(spearman.p, spearman.log10P);
  return `${n} steps; Spearman ρ = ${rho.toFixed(4)} (p = ${p}), Pearson r = ${r.toFixed(4)}`;
}

/** Runs differ in shape too, for who cannot tell the colours. */
function mark(x: number, y: number, run: number, colour: string): string {
  const style = { fill: colour, "fill-opacity": 0.8, stroke: "#ffffff", "stroke-width": 0.8 };
  switch (run % 3) {
    case 1:
      return element("rect", { x: x - 4, y: y - 4, width: 8, height: 8, ...style });
    case 2:
      return element("path", { d: `M${x.toFixed(2)} ${(y - 5.2).toFixed(2)}l5 8.8h-10z`, ...style });
    default:
      return element("circle", { cx: x, cy: y, r: 4.6, ...style });
  }
}

/** The bar that says which colour is which step. */
function stepScale(x: number, top: number, bottom: number, first: number, last: number): string[] {
  const stops = Array.from({ length: 9 }, (_, i) =>
    element("stop", { offset: `${i * 12.5}%`, "stop-color": gradientColour(i / 8) }),
  );
  const parts = [
    element("linearGradient", { id: "steps", x1: 0, y1: 1, x2: 0, y2: 0 }, ...stops),
    element("rect", { x, y: top, width: 13, height: bottom - top, fill: "url(#steps)" }),
    label(x - 1, top - 12, "step", { fill: INK }),
  ];
  if (last <= first) return parts;
  const scale = ticks(first, last, { count: 5, rounded: false });
  for (const [i, value] of scale.at.entries()) {
    const y = bottom - ((value - first) / (last - first)) * (bottom - top);
    parts.push(element("line", { x1: x + 13, x2: x + 17, y1: y, y2: y, stroke: AXIS }));
    parts.push(label(x + 21, y + 4.2, at(scale.labels, i), { fill: QUIET }));
  }
  return parts;
}
