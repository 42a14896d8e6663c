/** Accuracy and code use on held-out questions, greedy and sampled: the table before and after a run, and by step. */

import { mean } from "../base/statistics";
import { type Collector, collect } from "../session/collect";
import type { SummaryRow } from "../session/events";
import type { EvaluationRow } from "../session/metrics";
import type { QuestionRow } from "../session/prompts";

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
