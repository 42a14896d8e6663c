import type { PagePlan } from "./pages";
import type { PolicyVersion, ToolRecord, Trajectory } from "./trajectory";
import type { TurnMachine } from "./turns";

/** One prompt and the trajectories to sample from it. */
export interface RolloutRequest {
  groupIndex: number;
  promptIds: Uint32Array;
  /** One id per sample of the group; unique in the run. */
  trajectoryIds: readonly number[];
}

/** A request under way: its samples enter the batch one by one as slots and pages become free. */
export interface Group {
  readonly request: RolloutRequest;
  readonly plan: PagePlan;
  /** Samples that have entered so far. */
  admitted: number;
  /** Pages of the prompt, held until the last sample has entered. */
  promptPages: number[];
  /** True once the batch with the prompt's last row is on its way. */
  prefilled: boolean;
  /** Samples whose first token is drawn from the first sample's prompt row. */
  followers: Sequence[];
}

/** A trajectory under way. Positions count from the beginning of the prompt. */
export interface Sequence {
  readonly group: Group;
  readonly sampleIndex: number;
  readonly id: number;
  readonly slot: number;
  readonly pages: number[];
  readonly turns: TurnMachine;
  readonly toolLog: ToolRecord[];
  readonly policyVersions: PolicyVersion[];
  /** Last position whose row may have to be computed: that of the token before the last one allowed. */
  readonly lastRow: number;
  /** `follow`: waits for the group's prompt row. `tool`: waits for Python. */
  state: "run" | "follow" | "tool" | "finished";
  /** First position whose K/V are not yet computed. */
  next: number;
  /** Last position whose token is there, or will be before the next batch runs. */
  known: number;
  /** Tokens sampled in an earlier epoch lie past a stop and are dropped. */
  epoch: number;
}

/** Rows that the sequence could give to the next batch. */
export function pendingRows(sequence: Sequence): number {
  if (sequence.state !== "run") return 0;
  return Math.max(0, Math.min(sequence.known, sequence.lastRow) - sequence.next + 1);
}

/** Takes the position back to the last token that counts; returns how many rows were computed in vain. */
export function rewind(sequence: Sequence, lastToken: number, neededRows: number): number {
  const discarded = Math.max(0, sequence.next - neededRows);
  sequence.epoch++;
  sequence.known = lastToken;
  sequence.next = Math.min(sequence.next, neededRows);
  return discarded;
}

/** Notes the policy's version for the next token, where it is another one than before. */
export function noteVersion({ policyVersions, turns }: Sequence, version: number): void {
  if (policyVersions.at(-1)?.version !== version) policyVersions.push({ start: turns.length, version });
}

/** The finished trajectory. */
export function toTrajectory(sequence: Sequence): Trajectory {
  const { request } = sequence.group;
  return {
    id: sequence.id,
    groupIndex: request.groupIndex,
    sampleIndex: sequence.sampleIndex,
    promptIds: request.promptIds,
    toolLog: sequence.toolLog,
    policyVersions: sequence.policyVersions,
    ...sequence.turns.result(),
  };
}
