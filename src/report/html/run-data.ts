/** What the report page shows: the contract between who reads a run folder and the page. All of it is JSON. */

/** Figures of all steps as columns of equal length; null where a step has none. */
export interface MetricColumns {
  readonly steps: readonly number[];
  readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
}

/** A row of label and text. */
export type Fact = readonly [label: string, value: string];

/** One correlation of two series over steps, with what makes it doubtful beside it. Null where there is none. */
export interface CorrelationRow {
  readonly x: string;
  readonly y: string;
  /** Steps that have both figures. */
  readonly points: number;
  readonly spearman: number | null;
  /** Two-sided, as if steps were independent, which they are not. */
  readonly p: number | null;
  /** Independent points that would tell as much. */
  readonly effectivePoints: number | null;
  /** Two-sided, as if there were only those. */
  readonly effectiveP: number | null;
  readonly pearson: number | null;
  /** Interval of Spearman's rho by the block bootstrap, which allows for neighbours that resemble each other. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Spearman's rho of the changes from step to step. */
  readonly differences: number | null;
}

/** Mean and spread of one series. */
export interface SeriesSummary {
  readonly name: string;
  readonly points: number;
  readonly mean: number | null;
  /** With n - 1. */
  readonly standardDeviation: number | null;
  readonly minimum: number | null;
  readonly maximum: number | null;
  /** Spearman's rho against the step. */
  readonly trend: number | null;
}

export interface RunStatistics {
  readonly correlations: readonly CorrelationRow[];
  readonly series: readonly SeriesSummary[];
  /** Sentences to read before the figures. */
  readonly caveats: readonly string[];
}

/** One measurement on held-out questions: figures by name, shares in [0, 1]. */
export interface ValidationRow {
  readonly step: number;
  readonly label: string;
  readonly figures: Readonly<Record<string, number | null>>;
}

/** A step whose rollouts the page can show. */
export interface RolloutStep {
  readonly step: number;
  /** Rollouts that the page can show. */
  readonly shown: number;
}

export interface RunData {
  readonly name: string;
  /** Time of this state, ISO 8601. */
  readonly madeAt: string;
  /** One line on how the run stands: `finished after 40 steps`. */
  readonly state: string;
  /** Last step that the options ask for; null when unknown. */
  readonly maxSteps: number | null;
  readonly metrics: MetricColumns;
  /** Meaning of a metric, by name. */
  readonly help: Readonly<Record<string, string>>;
  /** Null until there are enough steps. */
  readonly statistics: RunStatistics | null;
  readonly validation: readonly ValidationRow[];
  /** Text of config.resolved.yaml as rows. */
  readonly config: readonly Fact[];
  readonly environment: readonly Fact[];
  readonly rolloutSteps: readonly RolloutStep[];
  /** Which rollouts are here and which were left out, in one or two sentences. */
  readonly rolloutRule: string;
}

/** One executed program of a rollout. */
export interface ToolCall {
  readonly status: string;
  readonly milliseconds: number | null;
  readonly queueMilliseconds: number | null;
  /** What it wrote to standard error, cut. */
  readonly stderr: string;
}

export type TokenKind = "text" | "code" | "observation";

/** A trajectory for the viewer. `tokens`, `mask` and `logprobs` have one entry per token after the prompt. */
export interface Rollout {
  readonly step: number;
  readonly id: number;
  readonly group: number;
  readonly sample: number;
  readonly prompt: string;
  /** What each token adds to the text; null when no tokenizer was found. */
  readonly tokens: readonly string[] | null;
  readonly ids: readonly number[];
  /** `1` sampled by the policy, `0` observation; a character for each token. */
  readonly mask: string;
  /** Rounded to 1e-5; 0 where mask is 0. */
  readonly logprobs: readonly number[];
  /** Tokens [start, end) of one kind; in order, without gap. */
  readonly segments: readonly (readonly [kind: TokenKind, start: number, end: number])[];
  /** All tokens as text; what is shown where `tokens` is null. */
  readonly text: string;
  readonly reward: number | null;
  /** Of every token whose mask is 1; null: filtered out, not trained on. */
  readonly advantage: number | null;
  readonly finishReason: string;
  readonly tools: readonly ToolCall[];
}
