/** Models x N_max x benchmarks: every sample asked for once, and the figures of each combination. */
import { at } from "../base/must";
import type { TrainingHost } from "../session/host";
import type { RunFiles } from "../session/run-folder";
import { AnswerLog } from "./answer-log";
import { type AnswerKey, answerLine } from "./answers";
import { type Benchmark, type BenchmarkOptions, openBenchmarks } from "./benchmarks";
import { figuresOf } from "./figures";
import { publishedFigures } from "./published";
import type { Cell, EvaluationReport } from "./report";
import { refuseOtherOptions } from "./resume";
import { markdownTable } from "./table";
import type { Asked, Target, TargetPlan } from "./target";

export interface EvaluationSettings extends BenchmarkOptions {
  readonly numGenerations: number;
  readonly maxToolCalls: readonly number[];
  readonly greedy: boolean;
  readonly seed: number;
}

export interface EvaluationHooks {
  readonly signal?: AbortSignal;
  /** @param what the model and benchmark under way */
  onProgress(done: number, total: number, what: string): void;
}

/**
 * Asks every target every question of every benchmark K times.
 *
 * @param files the output folder; without it nothing is kept
 * @param settingsFile all options as they are written down: a folder is gone on with under the same ones only
 * @throws UserError for what the user can repair
 */
export async function runEvaluation(
  settings: EvaluationSettings,
  targets: readonly TargetPlan[],
  host: Pick<TrainingHost, "loadDataset">,
  files: RunFiles | undefined,
  settingsFile: Readonly<Record<string, unknown>>,
  hooks: EvaluationHooks,
): Promise<EvaluationReport> {
  const benchmarks = await openBenchmarks(settings, host, (file) => hooks.onProgress(0, 0, `fetching ${file}`));
  if (files !== undefined) await refuseOtherOptions(files, settingsFile, targets, benchmarks);
  const log = await AnswerLog.open(files);
  const resumed = log.count;
  const total =
    targets.length *
    settings.maxToolCalls.length *
    settings.numGenerations *
    benchmarks.reduce((sum, { rows }) => sum + rows.length, 0);
  for (const plan of targets) await askTarget(plan, benchmarks, settings, log, total, hooks);
  await log.flush();
  const finished = log.count === total;
  const cells = targets.flatMap((plan) =>
    benchmarks.flatMap((benchmark) =>
      settings.maxToolCalls.map((maxToolCalls) => cellOf(plan, benchmark, maxToolCalls, settings, log)),
    ),
  );
  const report: EvaluationReport = {
    finished,
    generations: settings.numGenerations,
    greedy: settings.greedy,
    seed: settings.seed,
    samples: log.count,
    resumed,
    cells,
    published: publishedFigures.filter((figure) => benchmarks.some(({ name }) => name === figure.benchmark)),
  };
  if (files !== undefined && finished) {
    await log.arrange(allKeys(targets, benchmarks, settings));
    // How much an earlier call had done is no part of the result.
    const { resumed: _, ...result } = report;
    await files.write("report.json", `${JSON.stringify(result, null, 2)}\n`);
    await files.write("table.md", markdownTable(report));
  }
  return report;
}

/** The samples of one target that are still missing. It is opened for the first of them. */
async function askTarget(
  plan: TargetPlan,
  benchmarks: readonly Benchmark[],
  settings: EvaluationSettings,
  log: AnswerLog,
  total: number,
  hooks: EvaluationHooks,
): Promise<void> {
  const { signal } = hooks;
  const generations = settings.numGenerations;
  let target: Target | undefined;
  try {
    for (const maxToolCalls of settings.maxToolCalls)
      for (const benchmark of benchmarks) {
        if (signal?.aborted) return;
        const key = (question: number, sample: number): AnswerKey => ({
          model: plan.name,
          benchmark: benchmark.name,
          maxToolCalls,
          question,
          sample,
        });
        const asked: Asked[] = benchmark.rows.flatMap((row, question) => {
          const samples = Array.from({ length: generations }, (_, sample) => sample).filter(
            (sample) => log.outcome(key(question, sample)) === undefined,
          );
          return samples.length === 0 ? [] : [{ question, row, samples }];
        });
        const what = `${plan.label} on ${benchmark.name}${settings.maxToolCalls.length > 1 ? `, N_max ${maxToolCalls}` : ""}`;
        hooks.onProgress(log.count, total, what);
        if (asked.length === 0) continue;
        target ??= await plan.open(generations * Math.max(...benchmarks.map(({ rows }) => rows.length)));
        target.check(asked.map(({ row }) => row));
        await target.answer(asked, {
          maxToolCalls,
          generations,
          ...(signal === undefined ? {} : { signal }),
          onAnswer(question, sample, prompt, answer) {
            log.add(
              key(question, sample),
              answerLine(key(question, sample), prompt, at(benchmark.rows, question).answer, answer),
            );
            hooks.onProgress(log.count, total, what);
          },
        });
        await log.flush();
      }
  } catch (error) {
    await log.flush();
    // Stopped by the user: what was answered so far stays.
    if (!signal?.aborted) throw error;
  } finally {
    await target?.close();
  }
}

function cellOf(
  plan: TargetPlan,
  benchmark: Benchmark,
  maxToolCalls: number,
  settings: EvaluationSettings,
  log: AnswerLog,
): Cell {
  const groups = benchmark.rows.map((_, question) =>
    Array.from({ length: settings.numGenerations }, (_, sample) =>
      log.outcome({ model: plan.name, benchmark: benchmark.name, maxToolCalls, question, sample }),
    ).filter((outcome) => outcome !== undefined),
  );
  const whole = groups.every(({ length }) => length === settings.numGenerations);
  return {
    model: plan.name,
    label: plan.label,
    benchmark: benchmark.name,
    maxToolCalls,
    figures: whole ? figuresOf(groups, settings.seed) : null,
  };
}

function* allKeys(
  targets: readonly TargetPlan[],
  benchmarks: readonly Benchmark[],
  settings: EvaluationSettings,
): Generator<AnswerKey> {
  for (const { name: model } of targets)
    for (const maxToolCalls of settings.maxToolCalls)
      for (const { name: benchmark, rows } of benchmarks)
        for (const question of rows.keys())
          for (let sample = 0; sample < settings.numGenerations; sample++)
            yield { model, benchmark, maxToolCalls, question, sample };
}
