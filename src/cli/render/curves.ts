import type { MetricsRow } from "../../session/metrics";
import { sparkline } from "./charts";
import type { Style } from "./style";
import { figure, percent } from "./text";

interface Series {
  readonly name: string;
  readonly metric: "rollout/rule_rewards" | "rollout/code_rewards" | "reward" | "entropy" | "perf/throughput";
  readonly colour: "green" | "cyan" | "magenta" | "yellow" | "dim";
  /** Drawn from 0 to 1; others from their least value to their largest. */
  readonly isShare: boolean;
}

const SERIES: readonly Series[] = [
  { name: "accuracy", metric: "rollout/rule_rewards", colour: "green", isShare: true },
  { name: "code ratio", metric: "rollout/code_rewards", colour: "cyan", isShare: true },
  { name: "reward", metric: "reward", colour: "magenta", isShare: false },
  { name: "entropy", metric: "entropy", colour: "yellow", isShare: false },
  { name: "tokens/s", metric: "perf/throughput", colour: "dim", isShare: false },
];
const [NAME, VALUE, GAP, MOST] = [10, 7, 3, 32];
/** Fewer columns than this have no room for curves; from the second number on there are three beside each other. */
const [NARROW, WIDE] = [60, 110];

/** The course of a run's main figures, a sparkline each. */
export class Curves {
  readonly #values = new Map<Series, number[]>();

  add(row: MetricsRow): void {
    for (const series of SERIES) {
      const value = row[series.metric];
      if (typeof value === "number") this.#values.set(series, [...(this.#values.get(series) ?? []), value]);
    }
  }

  /** Lines of at most `columns`; none before the first row or on a narrow terminal. */
  lines(columns: number, style: Style): string[] {
    if (columns < NARROW) return [];
    const across = columns >= WIDE ? 3 : 2;
    const width = Math.min(MOST, Math.floor((columns - 2) / across) - GAP - NAME - VALUE - 2);
    const cells = SERIES.flatMap((series) => {
      const values = this.#values.get(series);
      return values === undefined ? [] : [cell(series, values, width, style)];
    });
    return Array.from(
      { length: Math.ceil(cells.length / across) },
      (_, i) => `  ${cells.slice(i * across, (i + 1) * across).join(" ".repeat(GAP))}`,
    );
  }
}

function cell({ name, colour, isShare }: Series, values: readonly number[], width: number, style: Style): string {
  const last = values.at(-1);
  const curve = sparkline(isShare ? values : spread(values), width).padEnd(width);
  return `${name.padEnd(NAME)} ${style.paint(colour, curve)} ${(isShare ? percent(last) : figure(last)).padStart(VALUE)}`;
}

/** Least value to 0, largest to 1; equal ones lie in the middle. */
function spread(values: readonly number[]): number[] {
  const [least, largest] = values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return values.map((value) => (largest > least ? (value - least) / (largest - least) : 0.5));
}
