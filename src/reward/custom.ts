/**
 * Reward functions of the user's: what they are given, and what they may return. The signature is TRL's, as one object.
 */

import { UserError } from "../base/errors";
import { type GradeResult, withRewards } from "./grade";
import type { GradeJob, RewardScope } from "./job";
import type { GradedGroup, RewardPool } from "./pool";
import type { CustomReward } from "./selection";

/** What a function is told of a trajectory beside its text. */
export type TrajectoryFacts = Omit<GradeJob, "modelText" | "gold">;

/**
 * A group, one entry of each list per trajectory. Beside these three it has a list for each column of the data set, and
 * `answer` in any case. A column that is called like one of the three is left out.
 */
export interface RewardBatch {
  /** As the model saw them. */
  readonly prompts: readonly string[];
  /** The text in the run's scope. */
  readonly completions: readonly string[];
  readonly trajectories: readonly TrajectoryFacts[];
  readonly [column: string]: readonly unknown[];
}

/** What a function may write down beside its values, under TRL's names. */
export interface RewardLog {
  /** A value for each completion, kept in its line of `rollouts/` under `extra`. */
  logExtra(column: string, values: readonly unknown[]): void;
  /** A figure of the step, `rewards/<name>` of its row: the mean of what all calls of the step gave. */
  logMetric(name: string, value: number): void;
}

/** Returns one finite number per completion, or null where the function does not apply. */
export type CustomRewardFunction = (
  batch: RewardBatch,
  log: RewardLog,
) => readonly (number | null)[] | Promise<readonly (number | null)[]>;

/** What one call gave. Plain data: it crosses from a worker. */
export interface RewardScores {
  readonly values: readonly (number | null)[];
  /** Columns of {@link RewardLog.logExtra}. */
  readonly extra: Readonly<Record<string, readonly unknown[]>>;
  /** Means of {@link RewardLog.logMetric}. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Scores of one call; none when it took too long. */
export type RewardCall = (reward: CustomReward, batch: RewardBatch) => Promise<RewardScores | undefined>;

/** How errors call a function: as the user wrote it. */
export function rewardLabel({ file, exportName, name }: Omit<CustomReward, "weight">): string {
  if (file === null) return `reward function ${name}`;
  return exportName === "default" ? file : `${file}:${exportName}`;
}

/** `gradeGroup` of a pool whose functions are called by `call`. */
export function gradeGroupBy(
  custom: readonly CustomReward[],
  scope: RewardScope,
  call: RewardCall,
): NonNullable<RewardPool["gradeGroup"]> {
  return async (group) => {
    const batch = rewardBatch(group, scope);
    let grades: readonly GradeResult[] = group.grades;
    for (const reward of custom) {
      const { name, weight } = reward;
      const scores = await call(reward, batch);
      grades = grades.map((grade, index) => {
        const next = withRewards(grade, [{ name, weight, value: scores?.values[index] ?? null }]);
        return scores === undefined
          ? { ...next, numbers: { ...next.numbers, verifier_failed: 1 } }
          : withLog(next, scores, index);
      });
    }
    return grades;
  };
}

/** The grade with what a function logged of its completion and its group. */
function withLog(grade: GradeResult, { extra, metrics }: RewardScores, index: number): GradeResult {
  const columns = Object.entries(extra).map(([column, values]) => [column, values[index]] as const);
  return {
    ...grade,
    ...(columns.length === 0 ? {} : { extra: { ...grade.extra, ...Object.fromEntries(columns) } }),
    ...(Object.keys(metrics).length === 0 ? {} : { metrics: { ...grade.metrics, ...metrics } }),
  };
}

/** Calls functions that are values, in this thread: the limit ends the wait for a promise, not a loop. */
export function callsOf(functions: Readonly<Record<string, CustomRewardFunction>>, timeoutMs: number): RewardCall {
  return async (reward, batch) => {
    const chosen = functions[reward.name];
    if (chosen === undefined) throw new Error(`no reward function ${reward.name}`);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), timeoutMs);
    });
    try {
      return await Promise.race([callReward(chosen, rewardLabel(reward), batch), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

function rewardBatch({ prompt, columns, jobs }: GradedGroup, scope: RewardScope): RewardBatch {
  const repeated = Object.entries(columns).map(([name, value]) => [name, jobs.map(() => value)] as const);
  return {
    ...Object.fromEntries(repeated),
    prompts: jobs.map(() => prompt),
    completions: jobs.map((job) => (scope === "full-text" ? job.fullText : job.modelText)),
    trajectories: jobs.map(({ modelText: _, gold: __, ...facts }) => facts),
  };
}

/**
 * Calls a function and checks what it returns.
 * @throws UserError naming function, completion and prompt
 */
export async function callReward(
  reward: CustomRewardFunction,
  label: string,
  batch: RewardBatch,
): Promise<RewardScores> {
  const count = batch.completions.length;
  const where = `for the prompt ${JSON.stringify((batch.prompts[0] ?? "").slice(-80))}`;
  const { log, logged } = recorder(label, count);
  let values: unknown;
  try {
    values = await reward(batch, log);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${label}: ${describe(error)} ${where}`);
  }
  if (!Array.isArray(values))
    throw new UserError(`${label}: returned ${shown(values)} ${where}, expected a list of ${count} numbers or nulls`);
  if (values.length !== count)
    throw new UserError(
      `${label}: returned ${values.length} ${values.length === 1 ? "value" : "values"} ${where}, expected ${count}, one for each completion`,
    );
  const checked = values.map((value: unknown, index): number | null => {
    if (value === null || (typeof value === "number" && Number.isFinite(value))) return value;
    throw new UserError(
      `${label}: returned ${shown(value)} for completion ${index + 1} of ${count} ${where}, expected a finite number or null`,
    );
  });
  return { values: checked, ...logged() };
}

/** A log, and what has been written into it. */
function recorder(label: string, count: number): { log: RewardLog; logged(): Omit<RewardScores, "values"> } {
  const extra: Record<string, readonly unknown[]> = {};
  const metrics = new Map<string, number[]>();
  return {
    log: {
      logExtra(column, values) {
        if (!Array.isArray(values) || values.length !== count)
          throw new UserError(`${label}: logExtra ${shown(column)} needs a list of ${count}, one for each completion`);
        try {
          JSON.stringify(values);
        } catch {
          throw new UserError(
            `${label}: logExtra ${shown(column)} holds a value that JSON cannot, such as a BigInt or a circle; give texts or numbers`,
          );
        }
        extra[column] = values;
      },
      logMetric(name, value) {
        if (!Number.isFinite(value))
          throw new UserError(`${label}: logMetric ${shown(name)} is ${shown(value)}, expected a finite number`);
        metrics.set(name, [...(metrics.get(name) ?? []), value]);
      },
    },
    logged: () => ({
      extra,
      metrics: Object.fromEntries(
        [...metrics].map(([name, values]) => [name, values.reduce((sum, each) => sum + each, 0) / values.length]),
      ),
    }),
  };
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : typeof value === "object" ? "an object" : String(value);
}

/** What was thrown, with its place in the user's file when the trace tells. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${shown(error)}`;
  const place = /([^/\\()\s]+\.[cm]?[jt]s):(\d+):\d+/.exec(error.stack ?? "");
  return `threw ${error.name}: ${error.message.replace(/\s*\n\s*/g, " ")}${place === null ? "" : ` (line ${place[2]} of ${place[1]})`}`;
}
