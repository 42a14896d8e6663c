/** Everything that the report page shows but the rollouts themselves. */
import { basename, resolve } from "node:path";
import { isHeld } from "../../platform/node/run-place";
import type { Fact, MetricColumns, RolloutStep, RunData, ValidationRow } from "../../report/html/run-data";
import { rolloutsShown } from "../../report/html/selection";
import { type MetricsTable, numericColumns } from "../../report/statistics/metrics-table";
import { metricHelp } from "../../session/metrics";
import type { AttemptLine } from "./attempts";
import { EVALUATION, METRICS, readAttempts, readConfig, readRows } from "./run-reader";
import { statisticsOf } from "./statistics";

/** What reading rollouts takes, as far as the options say. */
export interface RolloutPlan {
  readonly model: unknown;
  /** Trajectories per prompt. */
  readonly groupSize: number;
  readonly promptsPerStep: number | null;
}

/** A run without its rollouts. */
export interface ReadRun extends RolloutPlan {
  readonly data: Omit<RunData, "rolloutSteps" | "rolloutRule">;
}

export function rolloutPlan(config: Readonly<Record<string, unknown>>): RolloutPlan {
  return {
    model: config.model_name_or_path,
    groupSize: numberOf(config.num_generations) ?? 1,
    promptsPerStep: numberOf(config.prompts_per_step),
  };
}

export async function readRun(path: string): Promise<ReadRun> {
  const [table, evaluations, attempts, config] = await Promise.all([
    readRows(path, METRICS),
    readRows(path, EVALUATION),
    readAttempts(path),
    readConfig(path),
  ]);
  const metrics = columnsOf(table);
  const maxSteps = numberOf(config.max_steps);
  return {
    ...rolloutPlan(config),
    data: {
      name: basename(resolve(path)),
      madeAt: new Date().toISOString(),
      state: stateOf(attempts.at(-1), metrics.steps.at(-1) ?? 0, await isHeld(path)),
      maxSteps,
      metrics,
      help: metricHelp,
      statistics: statisticsOf(table),
      validation: validationOf(evaluations),
      config: Object.entries(config).map(([name, value]): Fact => [name, optionText(value)]),
      environment: environmentOf(attempts, config.seed),
    },
  };
}

/** Which of its rollouts a step shows, in words. */
export function rolloutRule(run: RolloutPlan, limit: number): string {
  const { groupSize, promptsPerStep } = run;
  const shown = rolloutsShown(limit, groupSize);
  const all = promptsPerStep === null ? null : promptsPerStep * groupSize;
  if (all !== null && shown >= all) return `All ${all} rollouts of a step are here.`;
  const groups = shown / groupSize;
  const part =
    shown < groupSize ? `the first ${shown} of the first prompt` : `all ${groupSize} of the first ${groups} prompts`;
  return `Of each step's ${all ?? "many"} rollouts these are ${part}; prompts come in shuffled order, so this is no choice by outcome. More with zerotir view --rollouts-per-step.`;
}

/** The steps of a run with the number of rollouts that each shows. */
export function shownSteps(
  run: RolloutPlan,
  steps: readonly { readonly step: number }[],
  limit: number,
): RolloutStep[] {
  const all = run.promptsPerStep === null ? Number.POSITIVE_INFINITY : run.promptsPerStep * run.groupSize;
  const shown = Math.min(all, rolloutsShown(limit, run.groupSize));
  return shown === 0 ? [] : steps.map(({ step }) => ({ step, shown }));
}

/** Six digits are more than a curve can show. */
function columnsOf(table: MetricsTable): MetricColumns {
  const columns = numericColumns(table).filter((name) => name !== "step");
  const steps = [...new Set(columns.flatMap((name) => [...(table.columns.get(name)?.keys() ?? [])]))].sort(
    (a, b) => a - b,
  );
  const short = (value: number | null | undefined) => (typeof value === "number" ? Number(value.toPrecision(6)) : null);
  return {
    steps,
    columns: Object.fromEntries(
      columns.sort().map((name) => [name, steps.map((step) => short(table.columns.get(name)?.get(step)))]),
    ),
  };
}

/** A value of the options as text, without the name and password of an address. */
export function optionText(value: unknown): string {
  if (value === null) return "none";
  return withoutCredentials(typeof value === "object" ? JSON.stringify(value) : String(value));
}

/** Reports are passed on, so a name and password in an address are not. */
export function withoutCredentials(text: string): string {
  return text.replace(/:\/\/[^/@\s]+@/g, "://***@");
}

function stateOf(last: AttemptLine | undefined, step: number, isWritten: boolean): string {
  if (last?.event === "end")
    return last.outcome === "finished" ? `finished after ${last.step} steps` : `interrupted after ${last.step} steps`;
  if (isWritten) return `training, ${step} of ${last?.max_steps ?? "?"} steps done`;
  return last === undefined ? `${step} steps` : `ended without a word after ${step} steps`;
}

const EVAL = "eval/";

/** Held-out figures by step; step 0 is before training. */
function validationOf(table: MetricsTable): ValidationRow[] {
  const { steps, columns } = columnsOf(table);
  return steps.map((step, place) => ({
    step,
    label: step === 0 ? "before training" : `after step ${step}`,
    figures: Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [
        name.startsWith(EVAL) ? name.slice(EVAL.length) : name,
        values[place] ?? null,
      ]),
    ),
  }));
}

function environmentOf(attempts: readonly AttemptLine[], seed: unknown): Fact[] {
  const starts = attempts.filter((line) => line.event === "start");
  const ends = attempts.filter((line) => line.event === "end");
  const start = starts.at(-1);
  if (start === undefined)
    return [
      ["recorded", `no: the run has no attempts.jsonl`],
      ["seed", String(seed ?? "unknown")],
    ];
  const adapters = [...new Set(starts.map(({ adapter }) => adapter))];
  return [
    ["adapter", adapters.join(", then ")],
    ["zerotir", start.zerotir],
    ["Dawn (npm webgpu)", start.dawn],
    ["Node", start.node],
    ["platform", start.platform],
    ["processor", start.processor],
    ["model", start.model],
    ["parameters", start.parameters.toLocaleString("en-US")],
    ["data", start.dataset],
    ["batch", start.batch],
    ["seed", String(seed ?? "unknown")],
    ["started", starts[0]?.time ?? start.time],
    ["starts of the run", String(starts.length)],
    ["seconds, all starts that ended", ends.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(1)],
  ];
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
