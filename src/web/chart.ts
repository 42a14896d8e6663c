/**
 * Charts of figures over steps, as SVG: they print, follow the colour scheme without being redrawn, and every curve is
 * an element that a test or a screen reader can find.
 */
import { at } from "../base/must";
import { tickStep, ticksWithin } from "../base/ticks";
import { linePath, movingMean, type Range, rangeOf } from "./curve";
import { element, svg } from "./elements";
import { figure, percent } from "./format";

export interface ChartSeries {
  /** Empty where the title says it. */
  readonly name: string;
  /** One for each step; null where it has none. */
  readonly values: readonly (number | null)[];
}

export interface ChartContent {
  readonly title: string;
  /** One line below the chart. */
  readonly about: string;
  /** Shares in [0, 1] are drawn on the whole range, as percent. */
  readonly unit: "share" | "number";
  readonly steps: readonly number[];
  /** First and last step of the axis; by default those there are. */
  readonly reach?: readonly [first: number, last: number];
  readonly series: readonly ChartSeries[];
  /** Whether the first curve is about code, and has its colour. */
  readonly isCode?: boolean;
  /** Whether a moving mean lies over the figures of single steps. */
  readonly isSmooth: boolean;
}

/** The step that all charts of a page point at together. */
export class StepCursor {
  readonly #watchers: (() => void)[] = [];
  #step: number | null = null;

  /** Null while none is pointed at. */
  get step(): number | null {
    return this.#step;
  }

  watch(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

  point(step: number | null): void {
    if (step === this.#step) return;
    this.#step = step;
    for (const watcher of this.#watchers) watcher();
  }
}

const HEIGHT = 190;
const EDGE = { left: 48, right: 12, top: 10, bottom: 24 };
/** Fewer points than this are not smoothed, and have a dot each. */
const FEW = 12;

/** Where a value lies in pixels. */
type Place = (value: number) => number;

export class Chart {
  readonly figure: HTMLElement;
  readonly #legend = element("div", "chart-legend");
  readonly #plot = element("div", "plot");
  readonly #cursor: StepCursor;
  #content: ChartContent;
  #line: SVGElement | undefined;

  constructor(content: ChartContent, cursor: StepCursor) {
    this.#content = content;
    this.#cursor = cursor;
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

  /** Title and line below stay as they are. */
  show(content: ChartContent): void {
    this.#content = content;
    this.#draw();
  }

  /** Ends of the axis of steps; the last is above the first. */
  get #steps(): Range {
    const { steps, reach } = this.#content;
    const [low, high] = reach ?? [steps[0] ?? 0, steps.at(-1) ?? 0];
    return { low, high: Math.max(high, low + 1) };
  }

  /** Where a step lies in the plot. */
  #x(step: number): number {
    const { low, high } = this.#steps;
    return EDGE.left + ((this.#plot.clientWidth - EDGE.left - EDGE.right) * (step - low)) / (high - low);
  }

  #draw(): void {
    const width = this.#plot.clientWidth;
    // In a part of the page that is folded up.
    if (width < 60) {
      this.#point();
      return;
    }
    const { series, unit } = this.#content;
    const isShare = unit === "share";
    const yRange = isShare ? { low: 0, high: 1 } : rangeOf(series.flatMap(({ values }) => values));
    const { low, high } = this.#steps;
    const x = (step: number) => this.#x(step);
    const y = (value: number) =>
      EDGE.top + (HEIGHT - EDGE.top - EDGE.bottom) * (1 - (value - yRange.low) / (yRange.high - yRange.low));
    const written = isShare ? (value: number) => `${Math.round(100 * value)} %` : figure;
    const yStep = tickStep(yRange.high - yRange.low, isShare ? 5 : 4);
    const grid = ticksWithin(yRange.low, yRange.high, yStep).flatMap((tick) => [
      svg("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(tick), y2: y(tick) }),
      svg("text", { class: "tick", x: EDGE.left - 8, y: y(tick) + 4, "text-anchor": "end" }, written(tick)),
    ]);
    // Steps are whole numbers.
    const below = ticksWithin(low, high, Math.max(1, tickStep(high - low, Math.floor(width / 70)))).map((tick) =>
      svg("text", { class: "tick", x: x(tick), y: HEIGHT - 6, "text-anchor": "middle" }, String(tick)),
    );
    this.#line = svg("line", { class: "cursor", y1: EDGE.top, y2: HEIGHT - EDGE.bottom });
    this.#plot.replaceChildren(
      svg(
        "svg",
        { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" },
        ...grid,
        ...below,
        ...series.flatMap(({ values }, index) => this.#curve(values, this.#className(index), x, y)),
        this.#line,
      ),
    );
    this.#point();
  }

  #curve(values: readonly (number | null)[], className: string, x: Place, y: Place): SVGElement[] {
    const { steps, values: shown } = withoutGaps(this.#content.steps, values);
    const raw = linePath(steps, shown, x, y);
    if (steps.length < FEW)
      return [
        svg("path", { class: `line ${className}`, d: raw }),
        ...steps.flatMap((step, i) => {
          const value = at(shown, i);
          return value === null
            ? []
            : [svg("circle", { class: `dot ${className}`, cx: x(step), cy: y(value), r: 2.5 })];
        }),
      ];
    const window = Math.min(50, Math.round(steps.length / 16));
    if (!this.#content.isSmooth || window < 2) return [svg("path", { class: `line ${className}`, d: raw })];
    return [
      svg("path", { class: `line raw ${className}`, d: raw }),
      svg("path", { class: `line ${className}`, d: linePath(steps, movingMean(shown, window), x, y) }),
    ];
  }

  /** Colour and dashes of a curve. */
  #className(index: number): string {
    return index === 0 && this.#content.isCode === true ? "s0 code" : `s${index}`;
  }

  /** Shows the figures of the step that is pointed at, or the last ones. */
  #point(): void {
    const { steps, series, unit, title } = this.#content;
    const written = unit === "share" ? percent : figure;
    const place = this.#cursor.step === null ? undefined : nearestPlace(steps, this.#cursor.step);
    const step = place === undefined ? undefined : at(steps, place);
    const isKnown = (value: number | null) => value !== null;
    this.#legend.replaceChildren(
      ...(step === undefined ? [] : [element("span", "at", `step ${step}`)]),
      ...series.map(({ name, values }, index) => {
        const value = place === undefined ? values.findLast(isKnown) : at(values, place);
        return element("span", `entry ${this.#className(index)}`, name, " ", element("b", "", written(value)));
      }),
    );
    this.#line?.setAttribute("visibility", step === undefined ? "hidden" : "visible");
    if (step !== undefined) for (const end of ["x1", "x2"]) this.#line?.setAttribute(end, this.#x(step).toFixed(1));
    const spoken = series.map(({ name, values }) => {
      const [first, last] = [values.findIndex(isKnown), values.findLastIndex(isKnown)];
      if (place !== undefined) return `${name} ${written(at(values, place))} at step ${step}`;
      if (first < 0) return `${name} no figure yet`;
      const [from, to] = [first, last].map((i) => `${written(at(values, i))} at step ${at(steps, i)}`);
      return `${name} from ${from} to ${to}`;
    });
    const all = steps.length === 0 ? "no step yet" : spoken.map((text) => text.trim()).join("; ");
    this.#plot.setAttribute("aria-label", `${title}: ${all}`);
  }

  #follow(event: PointerEvent): void {
    const { low, high } = this.#steps;
    const left = this.#plot.getBoundingClientRect().left + EDGE.left;
    const share = (event.clientX - left) / Math.max(1, this.#plot.clientWidth - EDGE.left - EDGE.right);
    this.#pointAt(nearestPlace(this.#content.steps, low + share * (high - low)));
  }

  #key(event: KeyboardEvent): void {
    const { steps } = this.#content;
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -steps.length, End: steps.length }[event.key];
    if (event.key === "Escape") this.#cursor.point(null);
    if (move === undefined) return;
    event.preventDefault();
    const from = this.#cursor.step === null ? steps.length - 1 : nearestPlace(steps, this.#cursor.step);
    this.#pointAt(from === undefined ? undefined : Math.min(steps.length - 1, Math.max(0, from + move)));
  }

  #pointAt(place: number | undefined): void {
    this.#cursor.point(place === undefined ? null : (this.#content.steps[place] ?? null));
  }
}

/** The points alone of a figure that is taken at fewer than half of the steps, so that its curve hangs together. */
function withoutGaps(steps: readonly number[], values: readonly (number | null)[]) {
  const present = steps.flatMap((step, i) => {
    const value = at(values, i);
    return value === null ? [] : [{ step, value }];
  });
  if (present.length >= steps.length / 2) return { steps, values };
  return { steps: present.map(({ step }) => step), values: present.map(({ value }) => value) };
}

/** Index of the step nearest to one; steps rise. Undefined where there is none. */
function nearestPlace(steps: readonly number[], step: number): number | undefined {
  if (steps.length === 0) return undefined;
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(steps, middle) < step) low = middle + 1;
    else high = middle;
  }
  return low > 0 && step - at(steps, low - 1) < at(steps, low) - step ? low - 1 : low;
}
