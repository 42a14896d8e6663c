/** What a data set is to the rest of the program: rows in memory, in the order of the files. */

import { UserError } from "../base/errors";
import { isRecord } from "../base/json";
import type { DataFile } from "./data-file";
import { readRecords } from "./records";
import { type DatasetEntry, type DatasetRole, type DatasetSplit, datasetEntry } from "./registry";
import { type ColumnChoice, type DatasetRow, toRow } from "./rows";

/** Which rows are wanted. */
export interface DatasetRequest extends ColumnChoice {
  /** A name of the registry, with a split behind a colon where it has several (`gsm8k:train`), or a path. */
  readonly dataset: string;
  /** Decides the split where none is named. */
  readonly role: DatasetRole;
  /** Null: the one that the name says, or that suits the role. */
  readonly split: string | null;
  /** Whether nothing may be fetched. */
  readonly offline: boolean;
}

/** Rows, and what they were read from. */
export interface Dataset {
  /** As it was asked for. */
  readonly name: string;
  /** Null for a file, which has none. */
  readonly split: string | null;
  /** Paths or addresses of the files. */
  readonly files: readonly string[];
  readonly rows: readonly DatasetRow[];
}

/** An entry with the split that a request means. */
export interface NamedSplit {
  readonly entry: DatasetEntry;
  readonly splitName: string;
  readonly split: DatasetSplit;
}

/** A request for `dataset` as a command without further options makes it. */
export function datasetRequest(dataset: string, role: DatasetRole, rest: Partial<DatasetRequest> = {}): DatasetRequest {
  return { dataset, role, split: null, promptColumn: null, answerColumn: null, offline: false, ...rest };
}

/**
 * The entry and split that a request names, or undefined when it is no name of the registry.
 * @throws UserError when the split does not exist, or two are named
 */
export function namedSplit({ dataset, role, split }: DatasetRequest): NamedSplit | undefined {
  const colon = dataset.lastIndexOf(":");
  const whole = datasetEntry(dataset);
  const entry = whole ?? (colon > 0 ? datasetEntry(dataset.slice(0, colon)) : undefined);
  if (entry === undefined) return undefined;
  const inName = whole === undefined ? dataset.slice(colon + 1) : undefined;
  const names = Object.keys(entry.splits);
  if (names.length === 0)
    throw new UserError(`${entry.name}: ${entry.about}; it has no file to be read, so use it with train or eval`);
  if (inName !== undefined && split !== null && inName !== split)
    throw new UserError(`${dataset} names one split and --dataset-split ${split} another; leave one of them out`);
  const wanted = inName ?? split ?? preferred(names, role);
  const found = Object.hasOwn(entry.splits, wanted) ? entry.splits[wanted] : undefined;
  if (found === undefined)
    throw new UserError(`${entry.name} has no split ${JSON.stringify(wanted)}; expected one of ${names.join(", ")}`);
  return { entry, splitName: wanted, split: found };
}

/** The split that suits the role, or the only one. */
export function preferred(names: readonly string[], role: DatasetRole): string {
  const usual = role === "train" ? "train" : "test";
  return names.includes(usual) ? usual : (names[0] ?? usual);
}

/**
 * All rows of the files, in their order. Files are read in parts; what is kept is the rows.
 * @throws UserError naming file, row and column, and when there is no row
 */
export async function readRows(
  files: readonly DataFile[],
  choice: ColumnChoice,
  split?: DatasetSplit,
): Promise<DatasetRow[]> {
  const columns = choice.promptColumn === null && choice.answerColumn === null ? split?.columns : undefined;
  const rows: DatasetRow[] = [];
  for (const file of files) {
    const before = rows.length;
    let named: ColumnChoice | undefined;
    for await (const located of readRecords(file, columns)) {
      named ??= columnsOf(located.record, choice, split);
      rows.push(toRow(located, named));
    }
    if (rows.length === before)
      throw new UserError(
        `${file.name}: has no rows; expected JSONL, JSON or parquet with a question and an answer in each row`,
      );
  }
  return rows;
}

/**
 * The columns that the user names, else those of the registry where the file has them: a converted copy may have the
 * usual names.
 */
function columnsOf(record: unknown, choice: ColumnChoice, split: DatasetSplit | undefined): ColumnChoice {
  const present = (column: string | undefined) =>
    column !== undefined && isRecord(record) && column in record ? column : null;
  return {
    promptColumn: choice.promptColumn ?? present(split?.promptColumn),
    answerColumn: choice.answerColumn ?? present(split?.answerColumn),
  };
}

/** What a data set is called in the names of figures: a file without folder and ending. */
export function benchmarkName(dataset: string): string {
  return (dataset.split(/[/\\]/).findLast((part) => part !== "") ?? dataset).replace(
    /\.(?:jsonl?|parquet)(?:\.gz)?$/,
    "",
  );
}
