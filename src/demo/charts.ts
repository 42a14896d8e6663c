import "uplot/dist/uPlot.min.css";
import uPlot from "uplot";
import { within } from "./dom";

const HEIGHT = 200;

/** A curve of a share over steps, drawn as it grows. */
export class ShareChart {
  readonly #figure: HTMLElement;
  readonly #output: HTMLElement;
  readonly #plot: HTMLElement;
  readonly #colour: string;
  readonly #name: string;
  readonly #steps: number[] = [];
  readonly #values: number[] = [];
  #lastStep = 1;
  #uplot: uPlot;

  /** @param colour name of the CSS variable with the curve's colour */
  constructor(figure: HTMLElement, name: string, colour: string) {
    this.#figure = figure;
    this.#name = name;
    this.#colour = colour;
    this.#output = within(figure, "output", HTMLElement);
    this.#plot = within(figure, ".plot", HTMLElement);
    this.#uplot = this.#draw();
    new ResizeObserver(() => this.#uplot.setSize({ width: this.#plot.clientWidth, height: HEIGHT })).observe(
      this.#plot,
    );
    // uPlot paints on a canvas, which does not follow the colour scheme by itself.
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
    this.#label();
  }

  /** Keeps the curve up to `firstStep` (0: nothing) and makes room for steps up to `lastStep`. */
  continue(firstStep: number, lastStep: number): void {
    const kept = this.#steps.filter((step) => step <= firstStep).length;
    this.#steps.length = kept;
    this.#values.length = kept;
    this.#lastStep = lastStep;
    this.#show();
  }

  add(step: number, value: number): void {
    this.#steps.push(step);
    this.#values.push(value);
    this.#show();
  }

  #show(): void {
    this.#uplot.setData([this.#steps, this.#values]);
    this.#label();
  }

  #label(): void {
    const last = this.#values.at(-1);
    this.#output.textContent = last === undefined ? "–" : percent(last);
    const first = this.#values[0];
    this.#plot.setAttribute(
      "aria-label",
      first === undefined || last === undefined
        ? `${this.#name}: no step yet`
        : `${this.#name} from ${percent(first)} at step ${this.#steps[0]} to ${percent(last)} at step ${this.#steps.at(-1)}`,
    );
  }

  #redraw(): void {
    this.#uplot.destroy();
    this.#uplot = this.#draw();
  }

  #draw(): uPlot {
    const style = getComputedStyle(this.#figure);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis: uPlot.Axis = {
      stroke: colour("--muted"),
      font: `12px ${style.fontFamily}`,
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
      gap: 6,
    };
    const line = colour(this.#colour);
    return new uPlot(
      {
        width: this.#plot.clientWidth || 300,
        height: HEIGHT,
        padding: [8, 12, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
        scales: { x: { time: false, range: () => [1, Math.max(2, this.#lastStep)] }, y: { range: [0, 1] } },
        axes: [
          // Steps are whole numbers.
          { ...axis, size: 28, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000], space: 40 },
          { ...axis, size: 46, incrs: [0.25], values: (_, ticks) => ticks.map(percent) },
        ],
        series: [
          {},
          {
            stroke: line,
            width: 2.5,
            fill: `color-mix(in srgb, ${line} 12%, transparent)`,
            points: { show: (_, __, from, to) => to - from < 12, size: 6, fill: line },
          },
        ],
        hooks: { setCursor: [(chart) => this.#hover(chart.cursor.idx)] },
      },
      [this.#steps, this.#values],
      this.#plot,
    );
  }

  /** The value under the pointer takes the place of the latest one. */
  #hover(index: number | null | undefined): void {
    const value = index === null || index === undefined ? undefined : this.#values[index];
    if (value === undefined || index === null || index === undefined) this.#label();
    else this.#output.textContent = `step ${this.#steps[index]}: ${percent(value)}`;
  }
}

export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
