/** The evaluations of a run: before, after, and by step. */

import { benchmarkName } from "../data/dataset";
import type { EvaluationRow } from "../session/metrics";
import { type EvaluationFigures, evaluate, evaluationRow } from "./evaluation";
import type { Run } from "./run";

/** The figures after a step; null where there is nothing to measure on, or the run was stopped. */
export async function evaluateHeldOut(run: Run, step: number): Promise<EvaluationFigures | null> {
  const { options, signal, events } = run;
  if (run.evaluated?.step === step) return run.evaluated.figures;
  const questions = run.questions.heldOut(options.evalSamples);
  if (questions.length === 0 || signal?.aborted) return null;
  const samples = options.numGenerationsEval;
  const tell = (done: number, total: number) =>
    events.onPhase("evaluate", { step, done, total, unit: "held-out answers" });
  tell(0, (1 + samples) * questions.length);
  try {
    const figures = await evaluate(run.collector, questions, samples, signal, tell);
    run.evaluated = { step, figures };
    run.evaluations = await run.folder.logEvaluation(evaluationRow(step, evaluatedOn(run), samples, figures));
    return figures;
  } catch (error) {
    if (signal?.aborted) return null;
    throw error;
  }
}

/** The evaluation that is due after a step, as figures of its row. */
export async function evaluateStep(run: Run, step: number): Promise<Omit<EvaluationRow, "step">> {
  const { evalSteps, numGenerationsEval } = run.options;
  if (evalSteps === 0 || step % evalSteps !== 0) return {};
  const begun = performance.now();
  const figures = await evaluateHeldOut(run, step);
  if (figures === null) return {};
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
  run.events.onNotice(
    `step ${step}, ${evaluatedOn(run)}: accuracy ${percent(figures.greedyAccuracy)} greedy, ${percent(figures.sampledAccuracy)} sampled; code ratio ${percent(figures.sampledCodeRatio)}`,
  );
  const { step: _, ...row } = evaluationRow(step, evaluatedOn(run), numGenerationsEval, figures);
  return { ...row, "time/evaluate": (performance.now() - begun) / 1000 };
}

function evaluatedOn({ options }: Run): string {
  return benchmarkName(options.evalDataset ?? options.dataset);
}
