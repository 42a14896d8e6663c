/** Record of a step: its metrics row, its rollouts as lines, and notices for the user. */
import { mean, sampleStandardDeviation } from "../base/statistics";
import type { TrainOptions } from "../options/train";
import type { GradeNumbers } from "../reward/grade";
import { fractionWithoutVariance } from "../rl/filters";
import { objectiveMetrics } from "../rl/objective";
import { rolloutLine } from "../rollout/records";
import type { GradedTrajectory } from "../session/collect";
import type { MetricsRow } from "../session/metrics";
import type { RolloutBatch } from "./batch";
import type { CriticResult } from "./critic";
import type { UpdateResult } from "./update";

/** Seconds of the parts of a step. */
export interface StepTimes {
  /** Until the batch was there. */
  readonly waiting: number;
  readonly update: number;
  readonly total: number;
}

/** Names and meanings: metrics.ts. `numTokens` counts from the first step of the run. */
export function stepMetrics(
  step: number,
  batch: RolloutBatch,
  result: UpdateResult,
  numTokens: number,
  times: StepTimes,
): MetricsRow {
  const all = batch.groups.flat();
  const kept = batch.kept.flat();
  const rewards = batch.groups.map((group) => group.map(({ grade }) => grade.numbers.reward));
  const lengths = all.map(({ trajectory }) => modelTokens(trajectory.mask));
  const calls = all.flatMap(({ trajectory }) => trajectory.toolLog);
  const ended = (...ways: (typeof calls)[number]["status"][]) =>
    calls.filter(({ status }) => ways.includes(status)).length;
  const failures = calls.length - ended("ok");
  const { totals } = result;
  return {
    step,
    reward: mean(rewards.flat()),
    reward_std: mean(rewards.map(sampleStandardDeviation)),
    frac_reward_zero_std: fractionWithoutVariance(rewards),
    "rollout/rule_rewards": share(all, "rule_rewards"),
    "rollout/code_rewards": share(all, "code_rewards"),
    "train/rule_rewards": kept.length === 0 ? null : share(kept, "rule_rewards"),
    "train/code_rewards": kept.length === 0 ? null : share(kept, "code_rewards"),
    "rollout/repeatness": share(all, "repeatness"),
    "rollout/repetition_penalty": share(all, "repetition_penalty"),
    "rollout/verifier_failed": share(all, "verifier_failed"),
    ...rewardMetrics(all),
    ...loggedMetrics(all),
    "train/kept_groups": batch.passed / batch.groups.length,
    "train/sampling_rounds": batch.rounds,
    loss: result.loss,
    grad_norm: result.gradNorm,
    learning_rate: result.learningRate,
    advantage_abs: result.advantageAbs,
    entropy: result.entropy,
    ...objectiveMetrics(totals),
    ...Object.fromEntries(Object.entries(result.masked).map(([name, part]) => [`masks/${name}`, part])),
    "completions/mean_length": mean(lengths),
    "completions/min_length": lengths.reduce((least, length) => Math.min(least, length), Number.POSITIVE_INFINITY),
    "completions/max_length": lengths.reduce((most, length) => Math.max(most, length), 0),
    "completions/clipped_ratio": mean(all.map(({ trajectory }) => Number(trajectory.finishReason === "length"))),
    "tools/call_frequency": calls.length / all.length,
    "tools/failure_frequency": calls.length === 0 ? 0 : failures / calls.length,
    "tools/calls": calls.length,
    "tools/errors": ended("error"),
    "tools/ooms": ended("oom"),
    "tools/timeouts": ended("timeout"),
    // Programs that did not come to their own end: stopped at a limit of time or output, or dead with their process.
    "tools/killed": ended("timeout", "output_limit", "crash"),
    "tools/run_ms": mean(
      calls.map(({ ms }) => ms),
      0,
    ),
    "tools/queue_ms": mean(
      calls.map(({ queueMs }) => queueMs),
      0,
    ),
    "sampling/sampling_logp_difference/mean": result.logprobDifferenceMean,
    "sampling/sampling_logp_difference/max": result.logprobDifferenceMax,
    ...importanceMetrics(result),
    ...(result.kl && { "kl/reference": result.kl.mean, "kl/coefficient": result.kl.coefficient }),
    ...(result.critic && criticMetrics(result.critic)),
    num_tokens: numTokens,
    step_time: times.total,
    "time/rollout": batch.seconds,
    "time/waiting": times.waiting,
    "time/update": times.update,
    "perf/throughput": tokensOf(all) / times.total,
    "perf/rollout_tokens_per_second": batch.sampledTokens / batch.seconds,
    "perf/train_tokens_per_second": tokensOf(kept) / times.update,
    ...batch.metrics,
  };
}

function importanceMetrics({ importance }: UpdateResult): Partial<MetricsRow> {
  if (importance === undefined) return {};
  const { min, mean, max } = importance;
  return {
    "sampling/importance_sampling_ratio/min": min,
    "sampling/importance_sampling_ratio/mean": mean,
    "sampling/importance_sampling_ratio/max": max,
  };
}

function criticMetrics(critic: CriticResult): Partial<MetricsRow> {
  return {
    "critic/loss": critic.loss,
    "critic/clip_ratio": critic.clipped,
    "critic/value_mean": critic.valueMean,
    "critic/return_mean": critic.returnMean,
    "critic/explained_variance": critic.explainedVariance,
    ...(critic.gradNorm === null ? {} : { "critic/grad_norm": critic.gradNorm }),
  };
}

function share(trajectories: readonly GradedTrajectory[], key: keyof GradeNumbers): number {
  return mean(trajectories.map(({ grade }) => grade.numbers[key]));
}

/** As TRL logs them: mean and standard deviation (ddof 1) of each function over the trajectories that it applies to. */
function rewardMetrics(trajectories: readonly GradedTrajectory[]): Record<`rewards/${string}`, number | null> {
  const names = Object.keys(trajectories[0]?.grade.rewards ?? {});
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = trajectories.flatMap(({ grade }) => grade.rewards[name] ?? []);
      const none = values.length === 0;
      return [
        [`rewards/${name}/mean`, none ? null : mean(values)],
        [`rewards/${name}/std`, none ? null : sampleStandardDeviation(values)],
      ];
    }),
  );
}

/** What functions of the user's logged: each group's figure, averaged over the groups that have it. */
function loggedMetrics(trajectories: readonly GradedTrajectory[]): Record<`rewards/${string}`, number> {
  const metrics = trajectories.map(({ grade }) => grade.metrics ?? {});
  const names = [...new Set(metrics.flatMap((each) => Object.keys(each)))];
  return Object.fromEntries(
    names.map((name) => [`rewards/${name}`, mean(metrics.flatMap((each) => each[name] ?? []))]),
  );
}

/** What the user should know of a step, in words. */
export function stepNotices(
  batch: RolloutBatch,
  { critic }: UpdateResult,
  options: Pick<TrainOptions, "dynamicSampling" | "promptsPerStep">,
): string[] {
  const notices: string[] = [];
  if (batch.kept.length === 0)
    notices.push("--group-filter-min and --group-filter-max dropped every group, so there was no update");
  else if (options.dynamicSampling && batch.kept.length < options.promptsPerStep)
    notices.push(
      `only ${batch.kept.length} of ${options.promptsPerStep} groups passed the filter in ${batch.rounds} rounds, so the step went on with them; see --max-sampling-rounds`,
    );
  const grades = batch.groups.flat().map(({ grade }) => grade);
  const failed = grades.filter(({ numbers }) => numbers.verifier_failed === 1).length;
  if (failed > 0)
    notices.push(`grading took more than --reward-timeout, or failed, for ${failed} of ${grades.length} trajectories`);
  const unrewarded = grades.filter(({ rewards }) => Object.values(rewards).every((value) => value === null)).length;
  if (unrewarded > 0)
    notices.push(`no reward function applied to ${unrewarded} of ${grades.length} trajectories; their reward is 0`);
  if (typeof critic?.gradNorm === "number" && !Number.isFinite(critic.gradNorm))
    notices.push(
      "the gradient norm of the critic is not finite, so the critic was left as it is; see the rollouts of the step",
    );
  return notices;
}

/** The trajectories of a step as lines of its rollouts file. */
export function* rolloutLines(step: number, batch: RolloutBatch, result: UpdateResult): Generator<string> {
  for (const { trajectory, prompt, grade } of batch.groups.flat()) {
    const advantage = result.advantages.get(trajectory.id);
    yield rolloutLine(trajectory, {
      step,
      prompt,
      reward: grade.numbers.reward,
      rewards: { ...grade.numbers },
      rewardFunctions: grade.rewards,
      extra: grade.extra,
      ...(advantage === undefined ? {} : { advantage }),
    });
  }
}

/** Tokens of a batch: prompts, model and observations. */
export function tokenCount({ groups }: RolloutBatch): number {
  return tokensOf(groups.flat());
}

function tokensOf(trajectories: readonly GradedTrajectory[]): number {
  return trajectories.reduce((sum, { trajectory }) => sum + trajectory.promptIds.length + trajectory.ids.length, 0);
}

function modelTokens(mask: Uint8Array): number {
  return mask.reduce((sum, bit) => sum + bit, 0);
}
