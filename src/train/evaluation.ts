/** Accuracy and code use on held-out questions, greedy and sampled: the table before and after a run, and by step. */

import { mean } from "../rl/moments";
import { type Collector, collect } from "./batch/collect";
import type { QuestionRow } from "./questions/prompts";
import type { SummaryRow } from "./run/events";
import type { EvaluationRow, FreeMetricName } from "./run/metrics";

/** Shares in [0, 1]. */
export interface EvaluationFigures {
  readonly greedyAccuracy: number;
  readonly greedyCodeRatio: number;
  /** Over all sampled answers: avg@k. */
  readonly sampledAccuracy: number;
  readonly sampledCodeRatio: number;
  /** Share of questions with a right one among the sampled answers: pass@k for k of all. */
  readonly sampledPass: number;
}

/** Random keys of evaluation never meet those of training. */
const EVALUATION_KEY = 0xe7a1;

/** One greedy and `samples` sampled answers to each question. `onProgress` is told of every answer. */
export async function evaluate(
  collector: Collector,
  questions: readonly QuestionRow[],
  samples: number,
  signal?: AbortSignal,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<EvaluationFigures> {
  const { options } = collector;
  let done = 0;
  const run = async (temperature: number, samplesPerQuestion: number) => {
    const { groups } = await collect(collector, questions, {
      step: 0,
      samplesPerQuestion,
      sampling: {
        temperature,
        topK: 0,
        topP: 1,
        minP: 0,
        seed: [options.seed, EVALUATION_KEY],
      },
      ...(signal === undefined ? {} : { signal }),
      onFinished: () => onProgress(++done, (1 + samples) * questions.length),
    });
    const numbers = groups.map((group) => group.map(({ grade }) => grade.numbers));
    const share = (key: "rule_rewards" | "code_rewards") => mean(numbers.flat().map((grade) => grade[key]));
    const pass = mean(numbers.map((group) => Number(group.some((grade) => grade.rule_rewards === 1))));
    return { accuracy: share("rule_rewards"), codeRatio: share("code_rewards"), pass };
  };
  const greedy = await run(0, 1);
  const sampled = await run(options.temperature, samples);
  return {
    greedyAccuracy: greedy.accuracy,
    greedyCodeRatio: greedy.codeRatio,
    sampledAccuracy: sampled.accuracy,
    sampledCodeRatio: sampled.codeRatio,
    sampledPass: sampled.pass,
  };
}

/** The figures as metrics: `eval/<benchmark>/greedy`, `avg@k`, `pass@k` and the code ratios. */
export function evaluationRow(
  step: number,
  benchmark: string,
  samples: number,
  figures: EvaluationFigures,
): EvaluationRow {
  return {
    step,
    [`eval/${benchmark}/greedy`]: figures.greedyAccuracy,
    [`eval/${benchmark}/greedy_code_ratio`]: figures.greedyCodeRatio,
    [`eval/${benchmark}/avg@${samples}`]: figures.sampledAccuracy,
    [`eval/${benchmark}/code_ratio`]: figures.sampledCodeRatio,
    ...(samples === 1 ? {} : { [`eval/${benchmark}/pass@${samples}`]: figures.sampledPass }),
  };
}

/** What a data set is called in the names of figures: a file without folder and ending. */
export function benchmarkName(dataset: string): string {
  return (dataset.split(/[/\\]/).findLast((part) => part !== "") ?? dataset).replace(
    /\.(?:jsonl?|parquet)(?:\.gz)?$/,
    "",
  );
}

/** Markdown with a column per evaluated step and a row per figure, in percent, as training reports print their trajectories. */
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

/** The two evaluations as rows of the closing table; no rows where neither was made. */
export function summaryTable(before: EvaluationFigures | null, after: EvaluationFigures | null): SummaryRow[] {
  if (before === null && after === null) return [];
  const row = (name: string, key: keyof EvaluationFigures): SummaryRow => ({
    name,
    before: before?.[key] ?? null,
    after: after?.[key] ?? null,
    unit: "share",
  });
  return [
    row("accuracy, greedy", "greedyAccuracy"),
    row("accuracy, sampled", "sampledAccuracy"),
    row("code ratio, greedy", "greedyCodeRatio"),
    row("code ratio, sampled", "sampledCodeRatio"),
  ];
}
