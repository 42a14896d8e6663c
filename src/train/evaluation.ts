/** Accuracy and code use on held-out questions, greedy and sampled: before a run, after it, and by step. */
import { mean } from "../base/statistics";
import { benchmarkName } from "../data/dataset";
import type { TrainOptions } from "../options/train";
import { type Collector, collect } from "../session/collect";
import type { SummaryRow, TrainEvents } from "../session/events";
import type { EvaluationRow } from "../session/metrics";
import type { QuestionRow, QuestionSource } from "../session/questions";
import type { RunFolder } from "../session/run-folder";

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
async function evaluate(
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
function evaluationRow(step: number, benchmark: string, samples: number, figures: EvaluationFigures): EvaluationRow {
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

/** What evaluations of a run share. */
interface EvaluationParts {
  readonly options: TrainOptions;
  readonly collector: Collector;
  readonly questions: QuestionSource;
  readonly folder: RunFolder;
  readonly events: TrainEvents;
  readonly signal: AbortSignal | undefined;
}

/** The evaluations of a run, which the run folder keeps. */
export class HeldOutEvaluation {
  readonly #parts: EvaluationParts;
  readonly #benchmark: string;
  #rows: readonly EvaluationRow[] = [];
  #newest: { readonly step: number; readonly figures: EvaluationFigures } | undefined;

  constructor(parts: EvaluationParts) {
    this.#parts = parts;
    this.#benchmark = benchmarkName(parts.options.evalDataset ?? parts.options.dataset);
  }

  /** Those of evaluation.jsonl; none before the first evaluation of this process. */
  get rows(): readonly EvaluationRow[] {
    return this.#rows;
  }

  /** The figures after a step; null where there is nothing to measure on, or the run was stopped. */
  async after(step: number): Promise<EvaluationFigures | null> {
    const { options, collector, folder, signal, events } = this.#parts;
    if (this.#newest?.step === step) return this.#newest.figures;
    const questions = this.#parts.questions.heldOut(options.evalSamples);
    if (questions.length === 0 || signal?.aborted) return null;
    const samples = options.numGenerationsEval;
    const tell = (done: number, total: number) =>
      events.onPhase("evaluate", { step, done, total, unit: "held-out answers" });
    tell(0, (1 + samples) * questions.length);
    try {
      const figures = await evaluate(collector, questions, samples, signal, tell);
      this.#newest = { step, figures };
      this.#rows = await folder.logEvaluation(evaluationRow(step, this.#benchmark, samples, figures));
      return figures;
    } catch (error) {
      if (signal?.aborted) return null;
      throw error;
    }
  }

  /** The evaluation that is due after a step by `--eval-steps`, as figures of the step's metrics row. */
  async due(step: number): Promise<Omit<EvaluationRow, "step">> {
    const { evalSteps, numGenerationsEval } = this.#parts.options;
    if (evalSteps === 0 || step % evalSteps !== 0) return {};
    const begun = performance.now();
    const figures = await this.after(step);
    if (figures === null) return {};
    const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
    this.#parts.events.onNotice(
      `step ${step}, ${this.#benchmark}: accuracy ${percent(figures.greedyAccuracy)} greedy, ${percent(figures.sampledAccuracy)} sampled; code ratio ${percent(figures.sampledCodeRatio)}`,
    );
    const { step: _, ...row } = evaluationRow(step, this.#benchmark, numGenerationsEval, figures);
    return { ...row, "time/evaluate": (performance.now() - begun) / 1000 };
  }
}
