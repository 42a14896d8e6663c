/**
 * The rollout batch of a step: questions -> graded groups -> those to train on, in further rounds where the filter
 * leaves too few (DAPO's dynamic sampling).
 */
import type { SamplingSettings } from "../../kernels/sampling";
import { at, must } from "../base/must";
import { mean } from "../base/statistics";
import type { TrainOptions } from "../options/train";
import { filterGroups, type GroupBounds } from "../rl/filters";
import type { Heartbeat } from "../rollout/scheduler";
import { type Collected, type Collector, collect, type Group } from "../session/collect";
import type { QuestionSelection } from "./question-selection";

export interface RolloutBatch {
  readonly step: number;
  /** All groups that were sampled, in the order of their questions. */
  readonly groups: readonly Group[];
  /** Those to train on. */
  readonly kept: readonly Group[];
  /** Groups that passed the filter: at times more than are trained on. */
  readonly passed: number;
  /** With the estimator remax: the reward of the greedy answer to each kept group's question. */
  readonly greedyRewards?: readonly number[];
  readonly rounds: number;
  /** Updates that the policy had seen when the sampling began. */
  readonly policyVersion: number;
  readonly sampledTokens: number;
  /** Seconds of sampling and grading. */
  readonly seconds: number;
  /** Figures of the rollouts, all of which depend on the clock. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** What a batch needs beside the collector. */
export interface BatchSettings {
  readonly step: number;
  readonly policyVersion: () => number;
  readonly signal?: AbortSignal | undefined;
  /** @param total trajectories of the round */
  onHeartbeat?(heartbeat: Heartbeat, total: number): void;
}

type BatchOptions = Pick<
  TrainOptions,
  | "promptsPerStep"
  | "numGenerations"
  | "temperature"
  | "seed"
  | "groupFilterMin"
  | "groupFilterMax"
  | "dynamicSampling"
  | "maxSamplingRounds"
  | "advantageEstimator"
>;

/** Samples and grades the batch of a step with the weights as they are. */
export async function collectBatch(
  collector: Collector,
  selection: QuestionSelection,
  options: BatchOptions,
  { step, policyVersion, signal, onHeartbeat }: BatchSettings,
): Promise<RolloutBatch> {
  const { promptsPerStep, numGenerations } = options;
  const begun = performance.now();
  const firstVersion = policyVersion();
  const bounds = groupBounds(options);
  const rounds = options.dynamicSampling ? options.maxSamplingRounds : 1;
  const sampled: Group[] = [];
  const kept: Group[] = [];
  const metrics: Readonly<Record<string, number>>[] = [];
  let sampledTokens = 0;
  const common = {
    step,
    // Room for the ids of every round, and of as many greedy answers.
    questionsPerStep: promptsPerStep * (options.advantageEstimator === "remax" ? 2 * rounds : rounds),
    policyVersion,
    ...(signal === undefined ? {} : { signal }),
  };
  let round = 0;
  while (round < rounds && kept.length < promptsPerStep) {
    const wanted = missing(promptsPerStep, kept.length, sampled.length);
    const questions = selection.take(step, wanted, round++);
    const total = questions.length * numGenerations;
    const collected = await collect(collector, questions, {
      ...common,
      samplesPerQuestion: numGenerations,
      firstQuestion: sampled.length,
      sampling: samplingOf(options, options.temperature),
      onHeartbeat: (heartbeat) => onHeartbeat?.(heartbeat, total),
    });
    for (const [index, group] of collected.groups.entries()) {
      const right = group.filter(({ grade }) => grade.numbers.rule_rewards === 1).length;
      selection.observe(at(questions, index), right, group.length);
    }
    sampled.push(...collected.groups);
    kept.push(...filterGroups(collected.groups.filter(isGraded), answerRewards, bounds).kept);
    metrics.push(collected.metrics);
    sampledTokens += collected.statistics.sampledTokens;
  }
  const passed = kept.length;
  kept.splice(promptsPerStep);
  const greedy =
    options.advantageEstimator === "remax" && kept.length > 0
      ? await greedyAnswers(collector, kept, options, { ...common, firstQuestion: promptsPerStep * rounds })
      : undefined;
  sampledTokens += greedy?.statistics.sampledTokens ?? 0;
  return {
    step,
    groups: sampled,
    kept,
    passed,
    ...(greedy && {
      greedyRewards: greedy.groups.map((group) => mean(group.map(({ grade }) => grade.numbers.reward))),
    }),
    rounds: round,
    policyVersion: firstVersion,
    sampledTokens,
    seconds: (performance.now() - begun) / 1000,
    metrics: averaged(metrics),
  };
}

/**
 * Which groups are trained on; undefined for all. A missing bound lets everything through on its side; accuracies lie
 * in [0, 1].
 */
function groupBounds(
  options: Pick<TrainOptions, "groupFilterMin" | "groupFilterMax" | "dynamicSampling">,
): GroupBounds | undefined {
  const { groupFilterMin: low, groupFilterMax: high, dynamicSampling } = options;
  if (low === null && high === null) return dynamicSampling ? { low: 0, high: 1 } : undefined;
  return { low: low ?? -1, high: high ?? 2 };
}

/** A group whose grading failed for more than 40% of its trajectories says nothing (ZeroTIR). */
function isGraded(group: Group): boolean {
  return mean(group.map(({ grade }) => grade.numbers.verifier_failed)) <= 0.4;
}

function answerRewards(group: Group): number[] {
  return group.map(({ grade }) => grade.numbers.rule_rewards);
}

/**
 * Questions of the next round: as many as will fill the batch if they pass the filter as often as those before, and
 * never more than a whole batch.
 */
function missing(wanted: number, kept: number, sampled: number): number {
  const passing = sampled === 0 ? 1 : Math.max(kept, 1) / sampled;
  return Math.min(wanted, Math.ceil((wanted - kept) / passing));
}

/**
 * One greedy answer (temperature 0) to each question of the groups: its reward is the baseline that ReMax
 * (arXiv 2310.10505) subtracts from the rewards of the sampled answers.
 */
function greedyAnswers(
  collector: Collector,
  groups: readonly Group[],
  options: BatchOptions,
  settings: { readonly step: number; readonly questionsPerStep: number; readonly firstQuestion: number },
): Promise<Collected> {
  const questions = groups.map((group) => at(group, 0).question);
  return collect(collector, questions, {
    ...settings,
    samplesPerQuestion: 1,
    // One sample a question leaves the others' ids of the same question unused.
    questionsPerStep: settings.questionsPerStep * options.numGenerations,
    firstQuestion: settings.firstQuestion * options.numGenerations,
    sampling: samplingOf(options, 0),
  });
}

/** From the whole distribution, which is what training differentiates. */
function samplingOf({ seed }: BatchOptions, temperature: number): SamplingSettings {
  return { temperature, topK: 0, topP: 1, minP: 0, seed: [seed, 0] };
}

/** Means by name over the rounds. */
function averaged(rounds: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, mean(rounds.map((round) => must(round[name], `${name} of a round`)))]),
  );
}
