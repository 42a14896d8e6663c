/** Trajectory: one sampled answer with its tokens, mask, log-probs, segments and tool calls, and its id in the run. */
import type { PythonStatus } from "../sandbox/engine";

/**
 * Tokens [start, end) of `Trajectory.ids` that are of one kind. The tokens of a fence belong to the text that they end.
 */
export interface Segment {
  kind: "text" | "code" | "observation";
  start: number;
  end: number;
}

/** One executed block. */
export interface ToolRecord {
  code: string;
  status: PythonStatus;
  stdout: string;
  stderr: string;
  /** Milliseconds of running and of waiting for a worker: the only fields that two equal runs do not share. */
  ms: number;
  queueMs: number;
  /** Text appended for the model; empty when nothing could be appended because the length budget ended here. */
  observation: string;
}

/**
 * From token `start` of `Trajectory.ids` on, sampled tokens are those of this version of the policy: the updates that
 * it had seen.
 */
export interface PolicyVersion {
  start: number;
  version: number;
}

/** How a trajectory ended: by a stop token or string, or because the length budget was spent. */
export type FinishReason = "stop" | "length";

/** One sampled answer to one prompt. All arrays have one entry per token after the prompt. */
export interface Trajectory {
  /** u32, unique in the run; the random key of every token. See {@link trajectoryId}. */
  id: number;
  groupIndex: number;
  sampleIndex: number;
  promptIds: Uint32Array;
  ids: Uint32Array;
  /** 1: sampled by the policy. 0: observation. */
  mask: Uint8Array;
  /** Log-prob of each sampled token, as the sampler recorded it; 0 where mask is 0. */
  logprobs: Float32Array;
  /** Cover `ids` without gap, in order. */
  segments: Segment[];
  toolLog: ToolRecord[];
  /** One entry, unless weights changed while it was sampled. */
  policyVersions: PolicyVersion[];
  finishReason: FinishReason;
  /** The stop string that ended it; absent when a stop token or the length did. */
  stopString?: string;
  /** Text of the sampled tokens only: what answers are read from. */
  modelText: string;
  /** Text of all tokens after the prompt. */
  fullText: string;
}

/** Sizes that make {@link trajectoryId} unique: the most groups in one step, and samples in one group. */
export interface TrajectoryIdSpace {
  groupsPerStep: number;
  samplesPerGroup: number;
}

/**
 * Id of a trajectory: its place in the whole run, counted over steps, groups and samples.
 * @throws RangeError if an index lies outside the space or the run is longer than 2^32 trajectories.
 */
export function trajectoryId(step: number, groupIndex: number, sampleIndex: number, space: TrajectoryIdSpace): number {
  const id = (step * space.groupsPerStep + groupIndex) * space.samplesPerGroup + sampleIndex;
  const inside = groupIndex < space.groupsPerStep && sampleIndex < space.samplesPerGroup;
  const valid = [step, groupIndex, sampleIndex].every((index) => Number.isInteger(index) && index >= 0);
  if (!inside || !valid || id >= 2 ** 32)
    throw new RangeError(`no trajectory id for step ${step}, group ${groupIndex}, sample ${sampleIndex}`);
  return id;
}
