/**
 * One rollout batch: questions -> trajectories -> grades. A trajectory is graded as soon as it ends, while others still
 * decode.
 */

import type { SamplingSettings } from "../../kernels/sampling";
import { UserError } from "../base/errors";
import { at } from "../base/must";
import type { TrainOptions } from "../options/train";
import type { GradeResult } from "../reward/grade";
import type { RewardPool } from "../reward/pool";
import type { GpuDecoder } from "../rollout/decoder";
import type { EnvironmentFactory } from "../rollout/environment";
import { openEnvironments } from "../rollout/environment-world";
import { type Heartbeat, interact } from "../rollout/scheduler";
import { type RolloutStatistics, rolloutMetrics } from "../rollout/statistics";
import { type Trajectory, trajectoryId } from "../rollout/trajectory";
import { pythonWorld, withDeadline } from "../rollout/world";
import type { PythonEngine } from "../sandbox/engine";
import { observationPolicy, preparedFor } from "../sandbox/policies";
import type { PromptTemplate } from "../text/templates";
import type { Tokenizer } from "../text/tokenizer";
import { BatchGrades } from "./grades";
import type { QuestionRow } from "./questions";

/** A trajectory with its question and its grade. */
export interface GradedTrajectory {
  readonly trajectory: Trajectory;
  readonly question: QuestionRow;
  readonly prompt: string;
  readonly grade: GradeResult;
}

/** Trajectories that answer the same question. */
export type Group = readonly GradedTrajectory[];

/** Groups in the order of the questions, samples in order. */
export interface Collected {
  readonly groups: readonly Group[];
  readonly statistics: RolloutStatistics;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What sampling needs, whatever the questions. */
export interface Collector {
  readonly decoder: GpuDecoder;
  readonly engine: PythonEngine;
  /** Takes the place of Python. */
  readonly environmentFactory?: EnvironmentFactory | undefined;
  readonly rewards: RewardPool;
  readonly tokenizer: Tokenizer;
  readonly template: PromptTemplate;
  readonly eosTokenIds: readonly number[];
  readonly options: RolloutSettings;
}

/** The options that rollouts depend on; every command that samples has them. */
export type RolloutSettings = Pick<
  TrainOptions,
  | "maxPromptLength"
  | "maxCompletionLength"
  | "maxToolCalls"
  | "maxToolResponseTokens"
  | "toolPolicy"
  | "toolTimeout"
  | "toolMemoryMb"
  | "temperature"
  | "seed"
  | "runAhead"
>;

/** How one batch is sampled. */
export interface CollectSettings {
  /** Distinguishes the batches of a run; with group and sample it is the random key. */
  readonly step: number;
  readonly samplesPerQuestion: number;
  /** Most questions of a step, where one may have fewer: ids of two steps must not meet. */
  readonly questionsPerStep?: number;
  /** Questions of this step that earlier calls have had; default 0. Ids and group numbers count on from there. */
  readonly firstQuestion?: number;
  /**
   * Which of its samples a question still needs; default: all. Ids do not depend on it. Not for graders of whole
   * groups.
   */
  samplesOf?(groupIndex: number): readonly number[];
  readonly sampling: SamplingSettings;
  /** Version of the policy, which changes only where weights may change under a batch. */
  readonly policyVersion?: () => number;
  readonly signal?: AbortSignal;
  /** Called as each trajectory ends, before it is graded. */
  onFinished?(): void;
  /** Called as soon as a trajectory is graded. Not for graders of whole groups. */
  onGraded?(graded: GradedTrajectory): void;
  onHeartbeat?(heartbeat: Heartbeat): void;
  /** Called with a trajectory's tokens as they come. */
  onTokens?(trajectoryId: number, ids: ArrayLike<number>): void;
}

/** Samples and grades `samplesPerQuestion` trajectories for each question. */
export async function collect(
  collector: Collector,
  questions: readonly QuestionRow[],
  settings: CollectSettings,
): Promise<Collected> {
  const { options, tokenizer, template } = collector;
  const policy = observationPolicy(options.toolPolicy);
  const first = settings.firstQuestion ?? 0;
  const space = {
    groupsPerStep: settings.questionsPerStep ?? questions.length,
    samplesPerGroup: settings.samplesPerQuestion,
  };
  const every = Array.from({ length: settings.samplesPerQuestion }, (_, sample) => sample);
  const promptIds = (question: QuestionRow | undefined, prompt: string) =>
    question?.promptIds ?? encodePrompt(tokenizer, prompt, options.maxPromptLength);
  const idsOf = (groupIndex: number) =>
    (settings.samplesOf?.(groupIndex) ?? every).map((sample) =>
      trajectoryId(settings.step, first + groupIndex, sample, space),
    );
  const maxToolResponseTokens = policy.limitsTokens ? options.maxToolResponseTokens : Number.MAX_SAFE_INTEGER;
  const environments =
    collector.environmentFactory === undefined
      ? undefined
      : await openEnvironments(
          collector.environmentFactory,
          questions.map(({ prompt, answer, columns }, group) => ({
            row: { ...columns, prompt, answer },
            trajectoryIds: idsOf(group),
          })),
          {
            tokenizer,
            maxSteps: options.maxToolCalls,
            maxObservationTokens: maxToolResponseTokens,
            timeoutMs: options.toolTimeout * 1000,
            seed: String(options.seed),
          },
        );
  const prompts = questions.map(({ prompt, promptIds }, group) =>
    promptIds === undefined ? template.frame(environments?.prompt(group) ?? prompt) : prompt,
  );
  const requests = prompts.flatMap((prompt, groupIndex) => {
    const trajectoryIds = idsOf(groupIndex);
    return trajectoryIds.length === 0
      ? []
      : [{ groupIndex, promptIds: promptIds(questions[groupIndex], prompt), trajectoryIds }];
  });
  collector.decoder.sampleWith(settings.sampling);

  const grades = new BatchGrades(
    collector.rewards,
    questions.map((row, index) => ({ row, prompt: at(prompts, index) })),
    settings.samplesPerQuestion,
  );
  const withGrade = async (trajectory: Trajectory): Promise<GradedTrajectory> => {
    const grade = await grades.gradeOf(trajectory);
    const question = questions[trajectory.groupIndex];
    if (question === undefined) throw new Error(`trajectory ${trajectory.id} has no question`);
    const { groupIndex } = trajectory;
    const numbered = first === 0 ? trajectory : { ...trajectory, groupIndex: first + groupIndex };
    return { trajectory: numbered, question, prompt: at(prompts, groupIndex), grade };
  };
  const told: Promise<void>[] = [];
  let statistics: RolloutStatistics | undefined;
  const world =
    environments ??
    pythonWorld(preparedFor(withDeadline(collector.engine), policy), {
      tokenizer,
      formatObservation: policy.observe,
      maxToolResponseTokens,
      tool: { timeoutMs: options.toolTimeout * 1000, memoryMb: options.toolMemoryMb, maxOutputBytes: MAX_OUTPUT_BYTES },
      seed: String(options.seed),
    });
  const trajectories = await interact(
    requests,
    collector.decoder,
    world,
    {
      tokenizer,
      stopStrings: template.stopStrings,
      stopTokenIds: collector.eosTokenIds,
      maxToolCalls: options.maxToolCalls,
      maxCompletionLength: options.maxCompletionLength,
      runAhead: options.runAhead ?? collector.decoder.defaultRunAhead,
      ...(settings.signal === undefined ? {} : { signal: settings.signal }),
      ...(settings.policyVersion === undefined ? {} : { policyVersion: settings.policyVersion }),
    },
    {
      onFinished(trajectory) {
        settings.onFinished?.();
        const { modelText: text, finishReason } = trajectory;
        grades.add(trajectory, environments?.reward(trajectory.id, { text, finishReason }));
        const { onGraded } = settings;
        if (onGraded === undefined) return;
        const telling = withGrade(trajectory).then(onGraded);
        // A rollout that is stopped never comes to await it.
        telling.catch(() => {});
        told.push(telling);
      },
      ...(settings.onHeartbeat === undefined ? {} : { onHeartbeat: settings.onHeartbeat }),
      ...(settings.onTokens === undefined ? {} : { onTokens: settings.onTokens }),
      onStatistics: (totals) => {
        statistics = totals;
      },
    },
  );
  const ended = performance.now();
  await Promise.all(told);
  const graded = await Promise.all(trajectories.map(withGrade));
  if (statistics === undefined) throw new Error("the rollout gave no statistics");
  const exposedMs = performance.now() - ended;
  return {
    groups: questions.map((_, index) => graded.filter(({ trajectory }) => trajectory.groupIndex === first + index)),
    statistics,
    metrics: {
      ...timedMetrics(statistics),
      "overlap/reward_hidden_fraction": grades.milliseconds > 0 ? Math.max(0, 1 - exposedMs / grades.milliseconds) : 1,
      "overlap/reward_exposed_seconds": exposedMs / 1000,
    },
  };
}

/** Kept of what a program prints. */
export const MAX_OUTPUT_BYTES = 64 * 1024;

/** @throws UserError at the first question whose prompt is longer than allowed */
export function checkPrompts(
  {
    tokenizer,
    template,
    options,
  }: Pick<Collector, "tokenizer" | "template"> & {
    readonly options: Pick<RolloutSettings, "maxPromptLength">;
  },
  questions: Iterable<QuestionRow>,
): void {
  for (const { prompt } of questions) encodePrompt(tokenizer, template.frame(prompt), options.maxPromptLength);
}

/** A prompt as ids. @throws UserError when it is longer than allowed: cutting it would change the question */
function encodePrompt(tokenizer: Tokenizer, prompt: string, longest: number): Uint32Array {
  const ids = tokenizer.encode(prompt);
  if (ids.length > longest)
    throw new UserError(
      `a prompt has ${ids.length} tokens, --max-prompt-length allows ${longest}: ${JSON.stringify(prompt.slice(0, 80))}; raise the limit or drop the row`,
    );
  return ids;
}

/**
 * Everything a rollout measures depends on the clock or on how far it ran ahead, so it goes under names that
 * comparisons leave out.
 */
function timedMetrics(statistics: RolloutStatistics): Record<string, number> {
  return Object.fromEntries(
    Object.entries(rolloutMetrics(statistics)).map(([name, value]) => [
      name.startsWith("overlap/") ? name : `perf/${name.replace("/", "_")}`,
      value,
    ]),
  );
}
