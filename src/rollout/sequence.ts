/** Sequences under way, and the rows that they give to the next batch. */
import type { RowBatch } from "./decoder";
import type { PolicyVersion, ToolRecord, Trajectory } from "./trajectory";
import type { TurnMachine } from "./turns";

/** One prompt and the trajectories to sample from it. */
export interface RolloutRequest {
  groupIndex: number;
  promptIds: Uint32Array;
  /** One id per sample of the group; unique in the run. */
  trajectoryIds: readonly number[];
}

/** Pages that the samples of one group need. */
export interface PagePlan {
  /** Pages of the prompt but the last: one copy for the whole group. */
  shared: number;
  /** Pages of one sample in all, shared ones included. */
  total: number;
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
  /** `follow`: waits for the group's prompt row. `tool`: waits for what answers its block or turn. */
  state: "run" | "follow" | "tool" | "finished";
  /** First position whose K/V are not yet computed. */
  next: number;
  /** Last position whose token is there, or will be before the next batch runs. */
  known: number;
  /** Tokens sampled in an earlier epoch lie past a stop and are dropped. */
  epoch: number;
}

/** Rows that the sequence could give to the next batch. */
function pendingRows(sequence: Sequence): number {
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

/** A token that a batch will bring, for the sequence as it was when the batch was made. */
export interface ExpectedToken {
  sequence: Sequence;
  epoch: number;
  position: number;
}

/** A batch, and what its results mean. */
export interface PlannedBatch {
  batch: RowBatch;
  expected: ExpectedToken[];
  /** Page copies that must follow the batch: the prompt's last page, for each follower. */
  copies: { from: number; to: number }[];
}

/**
 * Takes the next rows of the running sequences and moves their positions on. Each decoding sequence gives one row;
 * prompts and observations share what is left of `maxRows` in order of admission. With at most `maxRows` sequences none
 * can starve: where one has several rows to compute, the others' single rows leave at least one.
 */
export function planBatch(sequences: Iterable<Sequence>, maxRows: number): PlannedBatch | undefined {
  const single: Sequence[] = [];
  const several: Sequence[] = [];
  for (const sequence of sequences) {
    const pending = pendingRows(sequence);
    if (pending === 1) single.push(sequence);
    else if (pending > 1) several.push(sequence);
  }
  if (single.length + several.length === 0) return undefined;

  const slots: number[] = [];
  const positions: number[] = [];
  const samples: { row: number; sequence: Sequence; position: number }[] = [];
  const copies: PlannedBatch["copies"] = [];
  for (const sequence of [...single, ...several]) {
    const count = Math.min(pendingRows(sequence), maxRows - slots.length);
    for (let i = 0; i < count; i++) {
      slots.push(sequence.slot);
      positions.push(sequence.next++);
    }
    if (count === 0 || sequence.next <= sequence.known) continue;
    const row = slots.length - 1;
    const position = sequence.next;
    samples.push({ row, sequence, position });
    sequence.known = position;
    const { group } = sequence;
    if (group.prefilled) continue;
    group.prefilled = true;
    for (const follower of group.followers) {
      samples.push({ row, sequence: follower, position });
      follower.state = "run";
      follower.next = position;
      follower.known = position;
      copies.push(lastPromptPage(follower));
    }
    group.followers = [];
  }
  return {
    batch: {
      slots: Uint32Array.from(slots),
      positions: Uint32Array.from(positions),
      sampleRows: Uint32Array.from(samples, (sample) => sample.row),
      sampleSlots: Uint32Array.from(samples, (sample) => sample.sequence.slot),
      trajectoryIds: Uint32Array.from(samples, (sample) => sample.sequence.id),
    },
    expected: samples.map(({ sequence, position }) => ({ sequence, epoch: sequence.epoch, position })),
    copies,
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
