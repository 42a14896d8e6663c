/** `data`: which data sets there are, what is in them, and what they share. */
import { type Dataset, type DatasetRequest, datasetRequest } from "../data/dataset";
import { countRepeats, findOverlap, type Overlap } from "../data/overlap";
import { type DatasetEntry, type DatasetRole, datasets } from "../data/registry";
import {
  type DataEnvironment,
  type DatasetPlace,
  type DownloadProgress,
  openDataset,
  placeOf,
} from "../platform/node/datasets";

/** A data set of the registry, and where each of its splits is. */
export interface ListedDataset extends Omit<DatasetEntry, "splits"> {
  readonly splits: readonly (DatasetPlace & { readonly split: string })[];
}

/** Every data set that has a name. @param env says where data lies */
export function listDatasets(env: DataEnvironment): ListedDataset[] {
  return datasets.map(({ name, kind, licence, about, promptTemplate, splits }) => ({
    name,
    kind,
    licence,
    about,
    promptTemplate,
    splits: Object.entries(splits).map(([split, files]) => ({ split, ...placeOf(files, env) })),
  }));
}

/** How data is reached, and what its reader is told. */
export interface DataAccess {
  readonly env: DataEnvironment;
  /** Bytes of a file that is being fetched. */
  readonly onProgress: DownloadProgress;
  readonly signal: AbortSignal;
}

/**
 * Rows of a data set as a run sees them, fetched when it is not here.
 *
 * @param choice of split and columns, and whether to fetch
 * @throws UserError saying where it was looked for
 */
export function readDataset(
  name: string,
  role: DatasetRole,
  choice: Partial<DatasetRequest>,
  { env, onProgress, signal }: DataAccess,
): Promise<Dataset> {
  return openDataset(datasetRequest(name, role, choice), env, onProgress, signal);
}

export interface DataCheckRequest {
  readonly train: string;
  readonly evaluation: readonly string[];
  /** Of columns, and whether to fetch. */
  readonly choice: Partial<DatasetRequest>;
  /** Words in a row that make two problems overlap; 0: equal problems only. */
  readonly ngramWords: number;
}

/** What evaluation sets have in common with a training set. */
export interface DataCheck {
  readonly train: string;
  /** Rows of the training set, and those among them that repeat an earlier problem. */
  readonly rows: number;
  readonly repeated: number;
  readonly ngramWords: number;
  readonly contaminated: boolean;
  readonly evaluations: readonly (Overlap & { readonly name: string })[];
}

/** Looks for problems that a training set shares with evaluation sets. @throws UserError when a set cannot be read */
export async function checkData(request: DataCheckRequest, access: DataAccess): Promise<DataCheck> {
  const { train, evaluation, choice, ngramWords } = request;
  const problems = async (name: string, role: DatasetRole) =>
    (await readDataset(name, role, choice, access)).rows.map(({ prompt }) => prompt);
  const trained = await problems(train, "train");
  const evaluations: DataCheck["evaluations"][number][] = [];
  for (const name of evaluation)
    evaluations.push({ name, ...findOverlap(trained, await problems(name, "eval"), ngramWords) });
  return {
    train,
    rows: trained.length,
    repeated: countRepeats(trained),
    ngramWords,
    contaminated: evaluations.some(({ equal, partial }) => equal + partial > 0),
    evaluations,
  };
}
