/** `data dag`: problems on graphs of quantities, with solutions to learn before RL. */
import { mean } from "../base/statistics";
import type { DagSplit, OperationRange } from "../tasks/dag/problem";
import { type DagRow, type DagShares, dagRow } from "../tasks/dag/rows";
import type { DagKind } from "../tasks/dag/solution";
import { writeTextFile } from "./text-files";

export interface DagRequest {
  /** Rows. */
  readonly count: number;
  readonly operations: OperationRange;
  readonly shares: DagShares;
  readonly split: DagSplit;
  readonly seed: number;
}

/** What a file of rows holds. */
export interface DagReport {
  readonly output: string;
  readonly rows: number;
  readonly kinds: Readonly<Record<DagKind, number>>;
  /** Means. Characters are tokens for the shipped model, but for those of its frame and of `\boxed{`. */
  readonly promptCharacters: number;
  readonly completionCharacters: number;
  /** Characters of prompt and completion. */
  readonly longestRow: number;
}

export function makeDagRows({ count, operations, shares, split, seed }: DagRequest): DagRow[] {
  return Array.from({ length: count }, (_, index) => dagRow(seed, index, operations, split, shares));
}

/** @throws UserError when the file cannot be written */
export async function writeDagRows(output: string, rows: readonly DagRow[]): Promise<DagReport> {
  await writeTextFile("--output", output, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const number = (wanted: DagKind) => rows.filter(({ kind }) => kind === wanted).length;
  return {
    output,
    rows: rows.length,
    kinds: { plain: number("plain"), exploration: number("exploration"), exploitation: number("exploitation") },
    promptCharacters: mean(rows.map(({ prompt }) => prompt.length)),
    completionCharacters: mean(rows.map(({ completion }) => completion.length)),
    longestRow: rows.reduce((most, { prompt, completion }) => Math.max(most, prompt.length + completion.length), 0),
  };
}
