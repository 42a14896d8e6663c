/** What a program that uses the library gives as values, where the command line names files. */

import { UserError } from "../../base/errors";
import type { Dataset, DatasetRequest } from "../../data/dataset";
import { toRow } from "../../data/rows";
import type { CustomRewardFunction } from "../../reward/custom";
import type { TrainingHost } from "../../session/host";

export interface Embedded {
  /** Functions that `rewardFuncs` names. */
  readonly rewardFunctions?: Readonly<Record<string, CustomRewardFunction>>;
  readonly environmentFactory?: TrainingHost["environmentFactory"];
  /** Rows by the name that the options have for them. */
  readonly rows?: Readonly<Record<string, readonly unknown[]>>;
}

function rowsOf({ rows = {} }: Embedded, name: string): readonly unknown[] | undefined {
  return Object.hasOwn(rows, name) ? rows[name] : undefined;
}

/** The data set of that name; undefined when the rows are not values. @throws UserError naming the row */
export function embeddedDataset(embedded: Embedded, request: DatasetRequest): Dataset | undefined {
  const { dataset: name, promptColumn, answerColumn } = request;
  const records = rowsOf(embedded, name);
  if (records === undefined) return undefined;
  if (records.length === 0) throw new UserError(`${name} has no rows; expected objects with a prompt`);
  const choice = { promptColumn, answerColumn, answerOptional: true };
  const rows = records.map((record, index) => toRow({ record, where: `${name}[${index}]` }, choice));
  return { name, split: null, files: [], rows };
}

/** The rows of that name as JSON lines. */
export function embeddedText(embedded: Embedded, name: string): string | undefined {
  return rowsOf(embedded, name)
    ?.map((record) => `${JSON.stringify(record)}\n`)
    .join("");
}
