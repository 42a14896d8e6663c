/** Accuracy and code use of a model over a data set. */

import { mean } from "../rl/moments";
import { rolloutLine } from "../rollout/records";
import type { GradedTrajectory } from "../train/collect";
import type { EvalOptions } from "../train/eval-options";
import type { TrainingHost } from "../train/host";
import { nanoQuestions, type QuestionRow } from "../train/prompts";
import { requestOf } from "../train/questions";
import { majorityIsRight, passAtK } from "./estimators";
import { openSession } from "./session";

export interface EvaluationFigure {
  readonly name: string;
  readonly value: number | null;
  readonly unit: "share" | "number";
}

export interface EvaluationResult {
  readonly rows: number;
  readonly generations: number;
  readonly figures: readonly EvaluationFigure[];
}

/** Rows of nano when `--eval-samples` does not say. */
const NANO_ROWS = 256;
/** Questions asked together: bounds what is held in memory, and is where progress is told. */
const QUESTIONS_AT_ONCE = 64;

/**
 * Asks every question `numGenerations` times. `onTrajectory` gets each as a line of JSON, in order.
 * @throws UserError for what the user can repair
 */
export async function runEvaluation(
  options: EvalOptions,
  host: TrainingHost,
  hooks: {
    readonly signal?: AbortSignal;
    onProgress(done: number, total: number): void;
    onTrajectory(line: string): Promise<void>;
  },
): Promise<EvaluationResult> {
  const questions = await openQuestions(options, host);
  const generations = options.numGenerations;
  const total = questions.length * generations;
  const gpu = await host.openGpu(options);
  const session = await openSession(options, host, gpu, Math.min(questions.length, QUESTIONS_AT_ONCE) * generations);
  const groups: (readonly GradedTrajectory[])[] = [];
  try {
    for (let first = 0; first < questions.length && !hooks.signal?.aborted; first += QUESTIONS_AT_ONCE) {
      let finished = groups.length * generations;
      const collected = await session.answer(questions.slice(first, first + QUESTIONS_AT_ONCE), {
        step: first / QUESTIONS_AT_ONCE,
        samplesPerQuestion: generations,
        questionsPerStep: QUESTIONS_AT_ONCE,
        ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
        onFinished: () => hooks.onProgress(++finished, total),
      });
      groups.push(...collected.groups);
      for (const { trajectory, prompt, grade } of collected.groups.flat())
        await hooks.onTrajectory(
          rolloutLine(trajectory, {
            step: 0,
            prompt,
            reward: grade.numbers.reward,
            rewards: { ...grade.numbers },
            rewardFunctions: grade.rewards,
          }),
        );
    }
  } finally {
    await session.close();
  }
  return { rows: groups.length, generations, figures: figuresOf(groups, generations) };
}

async function openQuestions(options: EvalOptions, host: TrainingHost): Promise<readonly QuestionRow[]> {
  if (options.dataset === "nano") return nanoQuestions(options.seed).heldOut(options.evalSamples ?? NANO_ROWS);
  const { rows } = await host.loadDataset(requestOf(options, "eval"));
  return rows.slice(0, options.evalSamples ?? rows.length);
}

function figuresOf(groups: readonly (readonly GradedTrajectory[])[], generations: number): EvaluationFigure[] {
  const right = groups.map((group) => group.filter(({ grade }) => grade.numbers.rule_rewards === 1).length);
  const all = groups.flat();
  const share = (name: string, value: number): EvaluationFigure => ({
    name,
    value: all.length === 0 ? null : value,
    unit: "share",
  });
  const calls = all.flatMap(({ trajectory }) => trajectory.toolLog);
  return [
    share(generations === 1 ? "accuracy" : `avg@${generations}`, mean(right.map((count) => count / generations))),
    ...(generations > 1
      ? [
          share(`pass@${generations}`, mean(right.map((count) => passAtK(generations, count, generations)))),
          share(
            `maj@${generations}`,
            mean(
              groups.map((group) =>
                Number(
                  majorityIsRight(
                    group.map(({ grade }) => ({ answer: grade.prediction, correct: grade.numbers.rule_rewards === 1 })),
                  ),
                ),
              ),
            ),
          ),
        ]
      : []),
    share("code ratio", mean(all.map(({ grade }) => grade.numbers.code_rewards))),
    share("code executed", mean(all.map(({ grade }) => grade.numbers.code_executed))),
    {
      name: "failed calls",
      value: calls.length === 0 ? null : mean(calls.map(({ status }) => Number(status !== "ok"))),
      unit: "share",
    },
    share("cut by length", mean(all.map(({ trajectory }) => Number(trajectory.finishReason === "length")))),
    { name: "model tokens", value: all.length === 0 ? null : mean(all.map(modelTokens)), unit: "number" },
  ];
}

function modelTokens({ trajectory }: GradedTrajectory): number {
  return trajectory.mask.reduce((sum, bit) => sum + bit, 0);
}
