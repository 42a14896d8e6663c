/** A chart as SVG: it prints, follows the colour scheme by itself, and every curve is an element that a test or a screen reader can find. */
import type { StepCursor } from "./cursor";
import { element, svg } from "./dom";
import { figure, percent } from "./format";
import { linePath, movingMean, rangeOf, type Scale, ticks } from "./scale";

export interface ChartSeries {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

export interface ChartContent {
  readonly title: string;
  /** One line below the chart. */
  readonly about: string;
  /** Shares in [0, 1] are drawn on the whole range, as percent. */
  readonly unit: "share" | "number";
  readonly steps: readonly number[];
  readonly series: readonly ChartSeries[];
}

const HEIGHT = 190;
const EDGE = { left: 48, right: 12, top: 10, bottom: 24 };
/** Fewer points than this are not smoothed, and have a dot each. */
const FEW = 12;

export class Chart {
  readonly figure: HTMLElement;
  readonly #legend = element("div", "chart-legend");
  readonly #plot = element("div", "plot");
  readonly #cursor: StepCursor;
  #content: ChartContent;
  #smooth: boolean;
  #line: SVGElement | undefined;
  #x: (step: number) => number = () => 0;
  #firstStep = 0;
  #lastStep = 1;

  constructor(content: ChartContent, cursor: StepCursor, smooth: boolean) {
    this.#content = content;
    this.#cursor = cursor;
    this.#smooth = smooth;
    this.figure = element(
      "figure",
      "panel chart",
      element("figcaption", "", element("h3", "", content.title), this.#legend),
      this.#plot,
      element("p", "hint", content.about),
    );
    this.#plot.tabIndex = 0;
    this.#plot.setAttribute("role", "img");
    new ResizeObserver(() => this.#draw()).observe(this.#plot);
    cursor.watch(() => this.#point());
    this.#plot.addEventListener("pointermove", (event) => this.#follow(event));
    this.#plot.addEventListener("pointerleave", () => cursor.point(null));
    this.#plot.addEventListener("blur", () => cursor.point(null));
    this.#plot.addEventListener("keydown", (event) => this.#key(event));
    this.#point();
  }

  show(content: ChartContent, smooth: boolean): void {
    this.#content = content;
    this.#smooth = smooth;
    this.#draw();
    this.#point();
  }

  #draw(): void {
    const width = this.#plot.clientWidth;
    if (width < 60) return;
    const { steps, series, unit } = this.#content;
    this.#firstStep = steps[0] ?? 0;
    this.#lastStep = Math.max(steps.at(-1) ?? 1, this.#firstStep + 1);
    const yScale: Scale = unit === "share" ? { low: 0, high: 1 } : rangeOf(series.flatMap(({ values }) => values));
    const xScale: Scale = { low: this.#firstStep, high: this.#lastStep };
    const inner = { width: width - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
    const x = (step: number) => EDGE.left + (inner.width * (step - xScale.low)) / (xScale.high - xScale.low);
    const y = (value: number) => EDGE.top + inner.height * (1 - (value - yScale.low) / (yScale.high - yScale.low));
    this.#x = x;
    const show = unit === "share" ? (value: number) => `${Math.round(100 * value)} %` : figure;
    const grid = ticks(yScale, 4).flatMap((tick) => [
      svg("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(tick), y2: y(tick) }),
      svg("text", { class: "tick", x: EDGE.left - 8, y: y(tick) + 4, "text-anchor": "end" }, show(tick)),
    ]);
    const below = ticks(xScale, Math.floor(inner.width / 70))
      .filter(Number.isInteger)
      .map((tick) => svg("text", { class: "tick", x: x(tick), y: HEIGHT - 6, "text-anchor": "middle" }, String(tick)));
    this.#line = svg("line", { class: "cursor", y1: EDGE.top, y2: HEIGHT - EDGE.bottom, visibility: "hidden" });
    this.#plot.replaceChildren(
      svg(
        "svg",
        { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" },
        ...grid,
        ...below,
        ...series.flatMap(({ values }, index) => this.#curve(values, index, x, y)),
        this.#line,
      ),
    );
    this.#point();
  }

  #curve(
    values: readonly (number | null)[],
    index: number,
    x: (step: number) => number,
    y: (value: number) => number,
  ): SVGElement[] {
    const { steps, values: shown } = withoutGaps(this.#content.steps, values);
    const window = Math.min(50, Math.round(steps.length / 16));
    const raw = linePath(steps, shown, x, y);
    if (steps.length < FEW)
      return [
        svg("path", { class: `line s${index}`, d: raw }),
        ...steps.flatMap((step, i) => {
          const value = shown[i] ?? null;
          return value === null ? [] : [svg("circle", { class: `dot s${index}`, cx: x(step), cy: y(value), r: 2.5 })];
        }),
      ];
    if (!this.#smooth || window < 2) return [svg("path", { class: `line s${index}`, d: raw })];
    return [
      svg("path", { class: `line raw s${index}`, d: raw }),
      svg("path", { class: `line s${index}`, d: linePath(steps, movingMean(shown, window), x, y) }),
    ];
  }

  /** Shows the figures of the step that is pointed at, or the last ones. */
  #point(): void {
    const { steps, series, unit, title } = this.#content;
    const show = unit === "share" ? percent : figure;
    const pointed = this.#cursor.step;
    const place = pointed === null ? steps.length - 1 : nearestPlace(steps, pointed);
    const step = steps[place];
    const isKnown = (value: number | null) => value !== null;
    this.#legend.replaceChildren(
      ...(pointed === null || step === undefined ? [] : [element("span", "at", `step ${step}`)]),
      ...series.map(({ name, values }, index) =>
        element(
          "span",
          `entry s${index}`,
          name,
          " ",
          element("b", "", show(pointed === null ? values.findLast(isKnown) : values[place])),
        ),
      ),
    );
    if (step !== undefined && this.#line !== undefined) {
      this.#line.setAttribute("x1", this.#x(step).toFixed(1));
      this.#line.setAttribute("x2", this.#x(step).toFixed(1));
      this.#line.setAttribute("visibility", pointed === null ? "hidden" : "visible");
    }
    const spoken = series.map(({ name, values }) =>
      pointed === null
        ? `${name} from ${show(values.find(isKnown))} at step ${steps[values.findIndex(isKnown)]} to ${show(values.findLast(isKnown))} at step ${steps[values.findLastIndex(isKnown)]}`
        : `${name} ${show(values[place])} at step ${step}`,
    );
    this.#plot.setAttribute("aria-label", `${title}: ${steps.length === 0 ? "no step yet" : spoken.join("; ")}`);
  }

  #follow(event: PointerEvent): void {
    const { steps } = this.#content;
    const left = this.#plot.getBoundingClientRect().left + EDGE.left;
    const share = (event.clientX - left) / Math.max(1, this.#plot.clientWidth - EDGE.left - EDGE.right);
    const step = this.#firstStep + share * (this.#lastStep - this.#firstStep);
    this.#cursor.point(steps[nearestPlace(steps, step)] ?? null);
  }

  #key(event: KeyboardEvent): void {
    const { steps } = this.#content;
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -steps.length, End: steps.length }[event.key];
    if (event.key === "Escape") this.#cursor.point(null);
    if (move === undefined || steps.length === 0) return;
    event.preventDefault();
    const from = this.#cursor.step === null ? steps.length - 1 : nearestPlace(steps, this.#cursor.step);
    this.#cursor.point(steps[Math.min(steps.length - 1, Math.max(0, from + move))] ?? null);
  }
}

/** The points alone of a figure that is taken at fewer than half of the steps, so that its curve hangs together. */
function withoutGaps(steps: readonly number[], values: readonly (number | null)[]) {
  const present = steps.flatMap((step, i) => {
    const value = values[i] ?? null;
    return value === null ? [] : [{ step, value }];
  });
  if (present.length >= steps.length / 2) return { steps, values };
  return { steps: present.map(({ step }) => step), values: present.map(({ value }) => value) };
}

/** Index of the step nearest to one; steps rise. -1 when there is none. */
function nearestPlace(steps: readonly number[], step: number): number {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] ?? 0) < step) low = middle + 1;
    else high = middle;
  }
  const before = steps[low - 1];
  return before !== undefined && step - before < (steps[low] ?? step) - step ? low - 1 : low;
}
