/** Accuracy and code use on held-out questions, greedy and sampled: the table before and after a run. */

import { type Collector, collect } from "./collect";
import type { SummaryRow } from "./events";
import type { QuestionRow } from "./prompts";

/** Shares in [0, 1]. */
export interface EvaluationFigures {
  readonly greedyAccuracy: number;
  readonly greedyCodeRatio: number;
  readonly sampledAccuracy: number;
  readonly sampledCodeRatio: number;
}

/** Random keys of evaluation never meet those of training. */
const EVALUATION_KEY = 0xe7a1;

/** One greedy and one sampled answer to each question. `onProgress` is told of every answer. */
export async function evaluate(
  collector: Collector,
  questions: readonly QuestionRow[],
  signal?: AbortSignal,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<EvaluationFigures> {
  const { options } = collector;
  let done = 0;
  const run = async (temperature: number) => {
    const { groups } = await collect(collector, questions, {
      step: 0,
      samplesPerQuestion: 1,
      sampling: {
        temperature,
        topK: 0,
        topP: 1,
        minP: 0,
        seed: [options.seed, EVALUATION_KEY],
      },
      ...(signal === undefined ? {} : { signal }),
      onFinished: () => onProgress(++done, 2 * questions.length),
    });
    const numbers = groups.flat().map(({ grade }) => grade.numbers);
    const share = (key: "rule_rewards" | "code_rewards") =>
      numbers.reduce((sum, grade) => sum + grade[key], 0) / Math.max(1, numbers.length);
    return { accuracy: share("rule_rewards"), codeRatio: share("code_rewards") };
  };
  const greedy = await run(0);
  const sampled = await run(options.temperature);
  return {
    greedyAccuracy: greedy.accuracy,
    greedyCodeRatio: greedy.codeRatio,
    sampledAccuracy: sampled.accuracy,
    sampledCodeRatio: sampled.codeRatio,
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
