/**
 * Grades of one rollout batch: each trajectory as soon as it ends, and a group by custom functions as soon as its last
 * one has.
 */
import { at } from "../base/must";
import type { GradeJob, GradeResult } from "../reward/grade";
import type { RewardPool } from "../reward/pool";
import type { Trajectory } from "../rollout/trajectory";
import type { QuestionRow } from "./questions";

interface Member {
  readonly job: Promise<GradeJob>;
  readonly grade: Promise<GradeResult>;
}

export class BatchGrades {
  readonly #pool: RewardPool;
  readonly #questions: readonly { readonly row: QuestionRow; readonly prompt: string }[];
  readonly #groupSize: number;
  readonly #members = new Map<number, Map<number, Member>>();
  readonly #groups = new Map<number, Promise<readonly GradeResult[]>>();
  #milliseconds = 0;

  /** @param questions rows by group, with their prompts as the model saw them */
  constructor(
    pool: RewardPool,
    questions: readonly { readonly row: QuestionRow; readonly prompt: string }[],
    groupSize: number,
  ) {
    this.#pool = pool;
    this.#questions = questions;
    this.#groupSize = groupSize;
  }

  /** Time from each call of a grader to its answer, added up. */
  get milliseconds(): number {
    return this.#milliseconds;
  }

  /** Starts to grade a trajectory that has ended. @param environmentReward of its environment, where it has one */
  add(trajectory: Trajectory, environmentReward?: Promise<number | null>): void {
    const { groupIndex, sampleIndex } = trajectory;
    const facts = gradeJob(trajectory, at(this.#questions, groupIndex).row.answer);
    const job =
      environmentReward === undefined
        ? Promise.resolve(facts)
        : environmentReward.then((reward) => ({ ...facts, environmentReward: reward }));
    const group = this.#members.get(groupIndex) ?? new Map<number, Member>();
    this.#members.set(groupIndex, group);
    group.set(sampleIndex, { job, grade: this.#timed(job.then((known) => this.#pool.grade(known))) });
    if (group.size === this.#groupSize && this.#pool.gradeGroup !== undefined)
      this.#groups.set(groupIndex, this.#timed(this.#gradeGroup(groupIndex, group, this.#pool.gradeGroup)));
  }

  /** Grade of a trajectory that was added, when its group is complete. */
  async gradeOf({ groupIndex, sampleIndex, id }: Trajectory): Promise<GradeResult> {
    const grade = await (this.#pool.gradeGroup === undefined
      ? this.#members.get(groupIndex)?.get(sampleIndex)?.grade
      : this.#groups.get(groupIndex)?.then((grades) => grades[sampleIndex]));
    if (grade === undefined) throw new Error(`trajectory ${id} was not graded`);
    return grade;
  }

  async #gradeGroup(
    index: number,
    group: ReadonlyMap<number, Member>,
    grade: NonNullable<RewardPool["gradeGroup"]>,
  ): Promise<readonly GradeResult[]> {
    const members = [...group].sort(([a], [b]) => a - b).map(([, member]) => member);
    const { prompt, row } = at(this.#questions, index);
    return grade({
      prompt,
      columns: { answer: row.answer, ...row.columns },
      jobs: await Promise.all(members.map(({ job }) => job)),
      grades: await Promise.all(members.map((member) => member.grade)),
    });
  }

  #timed<Result>(work: Promise<Result>): Promise<Result> {
    const begun = performance.now();
    const timed = work.then((result) => {
      this.#milliseconds += performance.now() - begun;
      return result;
    });
    // A rollout that is stopped never awaits its grades, and its pool is closed before they are done.
    timed.catch(() => {});
    return timed;
  }
}

function gradeJob(trajectory: Trajectory, gold: string | readonly string[]): GradeJob {
  const { toolLog, mask, ids } = trajectory;
  return {
    modelText: trajectory.modelText,
    fullText: trajectory.fullText,
    gold,
    executions: toolLog.length,
    executionErrors: toolLog.filter(({ status }) => status !== "ok").length,
    lastExecutionFailed: (toolLog.at(-1)?.status ?? "ok") !== "ok",
    finishReason: trajectory.finishReason,
    modelTokens: mask.reduce((sum, bit) => sum + bit, 0),
    totalTokens: ids.length,
  };
}
