/** Reward functions of the user's: what they are given, and what they may return. The signature is TRL's, as one object. */
import { type GradeResult, withRewards } from "./grade";
import type { GradeJob, RewardScope } from "./job";
import type { GradedGroup, RewardPool } from "./pool";
import type { CustomReward } from "./selection";
import { UserError } from "./user-error";

/** What a function is told of a trajectory beside its text. */
export type TrajectoryFacts = Omit<GradeJob, "modelText" | "gold">;

/**
 * A group, one entry of each list per trajectory. Beside these three it has a list for each column of the data set, and `answer` in any case. A column
 * that is called like one of the three is left out.
 */
export interface RewardBatch {
  readonly prompts: readonly string[];
  /** The text in the run's scope. */
  readonly completions: readonly string[];
  readonly trajectories: readonly TrajectoryFacts[];
  readonly [column: string]: readonly unknown[];
}

/** Returns one finite number per completion, or null where the function does not apply. */
export type CustomRewardFunction = (
  batch: RewardBatch,
) => readonly (number | null)[] | Promise<readonly (number | null)[]>;

/** Values of one call; none when it took too long. */
export type RewardCall = (reward: CustomReward, batch: RewardBatch) => Promise<readonly (number | null)[] | undefined>;

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
      const values = await call(reward, batch);
      grades = grades.map((grade, index) => {
        const next = withRewards(grade, [{ name, weight, value: values?.[index] ?? null }]);
        return values === undefined ? { ...next, numbers: { ...next.numbers, verifier_failed: 1 } } : next;
      });
    }
    return grades;
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
): Promise<readonly (number | null)[]> {
  const count = batch.completions.length;
  const where = `for the prompt ${JSON.stringify((batch.prompts[0] ?? "").slice(-80))}`;
  let values: unknown;
  try {
    values = await reward(batch);
  } catch (error) {
    throw new UserError(`${label}: ${describe(error)} ${where}`);
  }
  if (!Array.isArray(values))
    throw new UserError(`${label}: returned ${shown(values)} ${where}, expected a list of ${count} numbers or nulls`);
  if (values.length !== count)
    throw new UserError(
      `${label}: returned ${values.length} ${values.length === 1 ? "value" : "values"} ${where}, expected ${count}, one for each completion`,
    );
  return values.map((value: unknown, index) => {
    if (value === null || (typeof value === "number" && Number.isFinite(value))) return value;
    throw new UserError(
      `${label}: returned ${shown(value)} for completion ${index + 1} of ${count} ${where}, expected a finite number or null`,
    );
  });
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : typeof value === "object" ? "an object" : String(value);
}

/** What was thrown, with its place in the user's file when the trace tells. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${shown(error)}`;
  const place = /([^/\\()\s]+\.[cm]?[jt]s):(\d+):\d+/.exec(error.stack ?? "");
  return `threw ${error.name}: ${error.message}${place === null ? "" : ` (line ${place[2]} of ${place[1]})`}`;
}
