/** Names and meanings of the figures that metrics.jsonl holds; TRL's names where it has them, ZeroTIR's for its two. */
export const metricHelp = {
  step: "optimizer step, from 1",
  reward: "mean reward of all trajectories sampled",
  reward_std: "standard deviation of the reward within a group, averaged over groups",
  frac_reward_zero_std: "share of groups whose trajectories all got the same reward: they teach nothing",
  "rollout/rule_rewards": "accuracy of all trajectories sampled, before any filter",
  "rollout/code_rewards": "share of all trajectories sampled that hold a Python block",
  "rollout/repeatness": "share of a response's substrings that occur in it before, mean over all trajectories sampled",
  "rollout/repetition_penalty": "share of a response's word trigrams that occur in it before",
  "rollout/verifier_failed": "share of all trajectories sampled whose grading failed or took too long",
  "train/rule_rewards": "accuracy of the trajectories trained on, after the group filter",
  "train/code_rewards": "share of the trajectories trained on that hold a Python block",
  "train/kept_groups": "share of groups that the filter kept",
  "train/sampling_rounds": "rounds of sampling that the step took; above 1 with --dynamic-sampling",
  staleness: "updates between the policy that sampled and the one that is trained; 0: the same",
  loss: "objective at the update; near 0 with normalised advantages, and no sign of progress",
  mean_token_accuracy: "share of the scored tokens that the model finds most probable at their place",
  grad_norm: "global norm of the gradient before clipping",
  learning_rate: "step size of this update",
  advantage_abs: "mean absolute advantage per token",
  kl: "mean log-ratio per token of the policy before the update to the one that is trained",
  entropy: "mean entropy of the sampling distribution per model token, in nats",
  "ratio/mean": "mean ratio of a token's probability under the policy that is trained to the one before the update",
  "ratio/min": "least such ratio",
  "ratio/max": "greatest such ratio",
  "clip_ratio/low_mean": "share of tokens clipped from below",
  "clip_ratio/high_mean": "share of tokens clipped from above",
  "clip_ratio/dual_mean": "share of tokens clipped by the dual clip (--delta)",
  "clip_ratio/region_mean": "share of tokens clipped",
  "completions/mean_length": "model tokens per trajectory; observations do not count",
  "completions/min_length": "least model tokens of a trajectory",
  "completions/max_length": "most model tokens of a trajectory",
  "completions/clipped_ratio": "share of trajectories that ended by length",
  "tools/call_frequency": "Python calls per trajectory",
  "tools/failure_frequency": "share of Python calls that failed",
  "tools/calls": "Python calls of the step",
  "tools/errors": "calls that ended by an exception or another exit code than 0",
  "tools/ooms": "calls that ended by a MemoryError",
  "tools/timeouts": "calls stopped at their deadline",
  "tools/killed": "calls stopped at a limit of time or output, or dead with their process",
  "tools/run_ms": "mean run time of a call in milliseconds",
  "tools/queue_ms": "mean wait of a call for a free worker, in milliseconds",
  "sampling/sampling_logp_difference/mean":
    "mean absolute difference of a token's log-prob when sampled and when trained on",
  "sampling/sampling_logp_difference/max": "largest such difference; 0 means exactly on-policy",
  "sampling/importance_sampling_ratio/min": "least weight of the correction for the sampler",
  "sampling/importance_sampling_ratio/mean": "mean weight of that correction",
  "sampling/importance_sampling_ratio/max": "greatest weight of that correction",
  "kl/reference": "mean estimate per token of the KL to the model that training began with (--kl-estimator)",
  "kl/coefficient": "weight of that KL in this step: --beta, or what --kl-target made of it",
  "critic/loss": "mean squared distance of values to returns, halved and clipped by --cliprange-value",
  "critic/clip_ratio": "share of tokens whose value loss was clipped",
  "critic/value_mean": "mean value before the update",
  "critic/return_mean": "mean return that values are to learn",
  "critic/explained_variance":
    "share of the returns' variance that values explain; 1 is perfect, below 0 worse than their mean",
  "critic/grad_norm": "global norm of a separate critic's gradient before clipping",
  num_tokens: "tokens seen since the first step: prompts, model and observations",
  step_time: "seconds of the whole step",
  "perf/throughput": "tokens per second of the whole step",
} as const;

export type MetricName = keyof typeof metricHelp;
/**
 * Figures with a name of their own for each run. `time/`, `perf/` and `overlap/` are for all that depends on the clock.
 */
export type FreeMetricName = `${"time" | "perf" | "overlap" | "rewards" | "eval" | "tools" | "masks"}/${string}`;

/** One line of metrics.jsonl. A figure that does not exist (a mean over nothing) or is not finite is null there. */
export type MetricsRow = { readonly step: number } & {
  readonly [name in Exclude<MetricName, "step"> | FreeMetricName]?: number | null;
};

/** Figures of an evaluation while training: one line of evaluation.jsonl. */
export type EvaluationRow = Pick<MetricsRow, "step" | FreeMetricName>;

const TIMED = /^(?:time|perf|overlap)\/|^step_time$|_ms$/;

/** Whether a figure depends on the clock, so that two equal runs need not agree on it. */
export function isTiming(name: string): boolean {
  return TIMED.test(name);
}

/** The row without its timings: equal, byte for byte when written, in every run of the same seed, build and adapter. */
export function deterministicPart(row: MetricsRow): MetricsRow {
  return { ...Object.fromEntries(Object.entries(row).filter(([name]) => !isTiming(name))), step: row.step };
}

/** The row as one line of strict JSON, `step` first and the rest by name, so that equal rows are equal bytes. */
export function metricsLine(row: MetricsRow): string {
  const entries = Object.entries(row)
    .filter(([name, value]) => name !== "step" && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, typeof value === "number" && Number.isFinite(value) ? value : null] as const);
  return `${JSON.stringify(Object.fromEntries([["step", row.step], ...entries]))}\n`;
}

/**
 * The lines of a metrics.jsonl up to and including a step. A last line without its end, which a killed process leaves,
 * is dropped.
 *
 * @throws Error at any other line that is not a row
 */
export function rowsUpTo(text: string, step: number): string {
  const lines = text.split("\n");
  lines.pop();
  return lines
    .filter((line, i) => {
      const row: unknown = JSON.parse(line);
      if (typeof row !== "object" || row === null || !("step" in row) || typeof row.step !== "number")
        throw new Error(`line ${i + 1} is no row of metrics`);
      return row.step <= step;
    })
    .map((line) => `${line}\n`)
    .join("");
}

/**
 * Markdown with a column per evaluated step and a row per figure, in percent, as training reports print their
 * trajectories.
 */
export function trajectoryTable(rows: readonly EvaluationRow[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name): name is FreeMetricName =>
    name.startsWith("eval/"),
  );
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const percent = (value: number | null | undefined) => (typeof value === "number" ? (100 * value).toFixed(2) : "");
  return [
    line(["step", ...rows.map(({ step }) => String(step))]),
    line(["---", ...rows.map(() => "--:")]),
    ...names.map((name) => line([name.slice("eval/".length), ...rows.map((row) => percent(row[name]))])),
    "",
  ].join("\n");
}
