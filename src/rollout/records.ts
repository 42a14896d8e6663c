/** Rollout records: the lines of `rollouts/step_*.jsonl` in a run folder. */
import type { Trajectory } from "./trajectory";

/** What a record says beside the trajectory. */
export interface RecordFields {
  step: number;
  /** Text of the prompt. */
  prompt?: string;
  reward?: number;
  /** Figures of the grade, by name. */
  rewards?: Readonly<Record<string, number>>;
  /** Values of the reward functions, by name; null where one does not apply. */
  rewardFunctions?: Readonly<Record<string, number | null>>;
  /** What reward functions logged of it, by column. */
  extra?: Readonly<Record<string, unknown>> | undefined;
  /** Absent when the trajectory was filtered out before advantages. */
  advantage?: number;
}

/** Name of a step's file in the run folder's `rollouts`. */
export function rolloutFileName(step: number): string {
  return `step_${String(step).padStart(5, "0")}.jsonl`;
}

/**
 * One line of a rollouts file, without the line break. Equal trajectories and fields give equal bytes, except for
 * `time`, which holds all measured times and stands last. Log-probs are written with the fewest digits that give them
 * back.
 */
export function rolloutLine(trajectory: Trajectory, fields: RecordFields): string {
  const { reward, advantage } = fields;
  return JSON.stringify({
    step: fields.step,
    id: trajectory.id,
    group: trajectory.groupIndex,
    sample: trajectory.sampleIndex,
    policy_versions: trajectory.policyVersions.map(({ start, version }) => [start, version]),
    prompt: fields.prompt,
    text: trajectory.fullText,
    model_text: trajectory.modelText,
    finish_reason: trajectory.finishReason,
    stop_string: trajectory.stopString,
    reward,
    rewards: fields.rewards && byName(fields.rewards),
    reward_functions: fields.rewardFunctions && byName(fields.rewardFunctions),
    extra: fields.extra && byName(fields.extra),
    advantage,
    tools: trajectory.toolLog.map(({ code, status, stdout, stderr, observation }) => ({
      code,
      status,
      stdout,
      stderr,
      observation,
    })),
    segments: trajectory.segments.map(({ kind, start, end }) => ({ kind, start, end })),
    prompt_ids: Array.from(trajectory.promptIds),
    ids: Array.from(trajectory.ids),
    mask: Array.from(trajectory.mask),
    logprobs: Array.from(trajectory.logprobs, shortF32),
    time: { tools: trajectory.toolLog.map(({ ms, queueMs }) => ({ ms, queue_ms: queueMs })) },
  });
}

function byName<Value>(values: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The number with the fewest decimal digits whose f32 is that of `value`; 9 are always enough. */
function shortF32(value: number): number {
  const exact = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(exact.toPrecision(digits));
    if (Math.fround(short) === exact) return short;
  }
  return Number(exact.toPrecision(9));
}
