/**
 * A decoding sequence: a trajectory that is being sampled, with its slot, its KV pages and the positions up to which it
 * is computed and known; and the group that shares its prompt. (`src/model/sequences.ts` has the tables of all slots on
 * the GPU, and whole sequences as rows of a forward pass.)
 */
import type { PagePlan } from "./page-pool";
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
export interface SequenceGroup {
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
  readonly group: SequenceGroup;
  readonly sampleIndex: number;
  readonly id: number;
  readonly slot: number;
  readonly pages: number[];
  readonly turns: TurnMachine;
  readonly toolLog: ToolRecord[];
  readonly policyVersions: PolicyVersion[];
  /** Last position whose row may have to be computed: that of the token before the last one allowed. */
  readonly lastRow: number;
  /** `follow`: waits for the group's prompt row. `tool`: waits for what answers its block or turn. */
  state: "run" | "follow" | "tool" | "finished";
  /** First position whose K/V are not yet computed. */
  next: number;
  /** Last position whose token is there, or will be before the next batch runs. */
  known: number;
  /** Tokens sampled in an earlier epoch lie past a stop and are dropped. */
  epoch: number;
}

/**
 * Goes back to `lastPosition`, the position of the last token that counts. Tokens that batches under way still bring
 * for positions past it are of an earlier epoch, and are dropped.
 * @param rowsEnd the rows (K/V) of positions below it stay valid; those from it on were computed for dropped tokens
 * @returns how many rows were computed in vain
 */
export function rewind(sequence: Sequence, lastPosition: number, rowsEnd: number): number {
  const discarded = Math.max(0, sequence.next - rowsEnd);
  sequence.epoch++;
  sequence.known = lastPosition;
  sequence.next = Math.min(sequence.next, rowsEnd);
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

/** The copy that gives a sequence its own last page of the prompt. */
export function lastPromptPage(sequence: Sequence): { from: number; to: number } {
  const { plan, promptPages } = sequence.group;
  const from = promptPages[plan.shared];
  const to = sequence.pages[plan.shared];
  if (from === undefined || to === undefined) throw new Error(`trajectory ${sequence.id} has no page for its prompt`);
  return { from, to };
}
