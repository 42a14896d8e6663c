/** Which figures share a chart, and the charts of a run. */
import { Chart, type ChartContent, type ChartSeries, type StepCursor } from "../../../web/chart";
import type { MetricColumns, RunData } from "../run-data";

interface Group extends Pick<ChartContent, "title" | "about" | "unit" | "isCode"> {
  /** Metric names with what to call them. */
  readonly series: Readonly<Record<string, string>>;
}

const GROUPS: readonly Group[] = [
  {
    title: "Accuracy and reward",
    about: "Of all trajectories sampled, before any filter. The reward is on the same axis where it lies in 0 to 1.",
    unit: "share",
    series: { "rollout/rule_rewards": "accuracy", reward: "reward" },
  },
  {
    title: "Code ratio",
    about: "Share of trajectories that hold a Python block. The reward does not mention code.",
    unit: "share",
    isCode: true,
    series: { "rollout/code_rewards": "code ratio" },
  },
  {
    title: "Entropy",
    about: "Nats per model token. A fall to 0 means that the model has stopped to explore.",
    unit: "number",
    series: { entropy: "entropy" },
  },
  {
    title: "Groups that teach nothing",
    about: "Share of groups whose trajectories all got the same reward.",
    unit: "share",
    series: { frac_reward_zero_std: "same reward", "train/kept_groups": "kept" },
  },
  {
    title: "Loss",
    about: "Near 0 with normalised advantages. It says nothing about progress; the reward does.",
    unit: "number",
    series: { loss: "loss" },
  },
  {
    title: "Gradient norm",
    about: "Before clipping, with the mean absolute advantage that drives it.",
    unit: "number",
    series: { grad_norm: "gradient norm", advantage_abs: "advantage" },
  },
  {
    title: "KL and log-prob difference",
    about: "Sampling against training policy. A difference of 0 means exactly on-policy.",
    unit: "number",
    series: { kl: "KL", "sampling/sampling_logp_difference/max": "greatest difference" },
  },
  {
    title: "Clipped tokens",
    about: "Share of tokens whose ratio was clipped.",
    unit: "number",
    series: { "clip_ratio/low_mean": "low", "clip_ratio/high_mean": "high", "clip_ratio/region_mean": "all" },
  },
  {
    title: "Length",
    about: "Model tokens per trajectory. Observations do not count.",
    unit: "number",
    series: {
      "completions/mean_length": "mean",
      "completions/max_length": "most",
      "completions/min_length": "least",
    },
  },
  {
    title: "Cut off",
    about: "Share of trajectories that ended at the length limit.",
    unit: "share",
    series: { "completions/clipped_ratio": "cut off" },
  },
  {
    title: "Tool calls",
    about: "Python calls per trajectory.",
    unit: "number",
    series: { "tools/call_frequency": "calls" },
  },
  {
    title: "Tool failures",
    about: "Share of Python calls that failed.",
    unit: "share",
    series: { "tools/failure_frequency": "failed" },
  },
  {
    title: "Step time",
    about: "Seconds.",
    unit: "number",
    series: { step_time: "step", "time/rollout": "rollout", "time/update": "update" },
  },
  {
    title: "Tokens per second",
    about: "Of the whole step, of sampling, of the update.",
    unit: "number",
    series: {
      "perf/throughput": "step",
      "perf/rollout_tokens_per_second": "rollout",
      "perf/train_tokens_per_second": "update",
    },
  },
];

/** Charts of a run's figures in groups; one chart for each figure that is in no group. */
export class Curves {
  readonly #main: HTMLElement;
  readonly #rest: HTMLElement;
  readonly #cursor: StepCursor;
  readonly #charts = new Map<string, Chart>();

  constructor(main: HTMLElement, rest: HTMLElement, cursor: StepCursor) {
    this.#main = main;
    this.#rest = rest;
    this.#cursor = cursor;
  }

  show({ metrics, help }: RunData, isSmooth: boolean): void {
    const grouped = new Set(GROUPS.flatMap(({ series }) => Object.keys(series)));
    for (const group of GROUPS) {
      const series = groupSeries(group, metrics);
      if (series.length > 0) this.#put(this.#main, { ...group, steps: metrics.steps, series, isSmooth });
    }
    for (const [name, values] of Object.entries(metrics.columns).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (grouped.has(name)) continue;
      const isHeldOut = name.startsWith("eval/");
      this.#put(isHeldOut ? this.#main : this.#rest, {
        title: name,
        about: Object.hasOwn(help, name) ? (help[name] ?? "") : "",
        unit: isHeldOut && values.every(isShare) ? "share" : "number",
        steps: metrics.steps,
        series: [{ name: "", values }],
        isSmooth,
      });
    }
  }

  #put(place: HTMLElement, content: ChartContent): void {
    const known = this.#charts.get(content.title);
    if (known !== undefined) {
      known.show(content);
      return;
    }
    const chart = new Chart(content, this.#cursor);
    this.#charts.set(content.title, chart);
    place.append(chart.figure);
  }
}

function groupSeries({ unit, series }: Group, { columns }: MetricColumns): ChartSeries[] {
  const found: ChartSeries[] = [];
  for (const [metric, name] of Object.entries(series)) {
    const values = Object.hasOwn(columns, metric) ? columns[metric] : undefined;
    // A reward outside 0 to 1 would be cut off on the axis of shares.
    if (values === undefined || (unit === "share" && !values.every(isShare))) continue;
    const same = found.findIndex((other) => other.values.every((value, i) => value === values[i]));
    const twin = found[same];
    // Of two curves that lie on each other one would hide the other.
    if (twin === undefined) found.push({ name, values });
    else found[same] = { name: `${twin.name} = ${name}`, values };
  }
  return found;
}

function isShare(value: number | null): boolean {
  return value === null || (value >= 0 && value <= 1);
}
