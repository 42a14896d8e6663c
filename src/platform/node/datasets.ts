/** Where a data set lies in Node: a path, a folder of data files, the cache, the hub. */
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { UserError } from "../../base/errors";
import { nearest } from "../../base/nearest";
import type { DataFile } from "../../data/data-file";
import { type Dataset, type DatasetRequest, namedSplit, preferred, readRows } from "../../data/dataset";
import { HUB_ENDPOINT, hubFiles } from "../../data/hub";
import { type DatasetSplit, datasets } from "../../data/registry";
import { checkCached, download } from "./download";
import { nodeFolder } from "./files";

/**
 * Variables that say where data lies: ZEROTIR_DATA, ZEROTIR_CACHE, XDG_CACHE_HOME, HF_ENDPOINT, HF_TOKEN,
 * HF_HUB_OFFLINE.
 */
export type DataEnvironment = Readonly<Record<string, string | undefined>>;

/** A file that is being fetched. @param total undefined when the server does not say */
export type DownloadProgress = (file: string, done: number, total: number | undefined) => void;

/** Where the files of a split are, or can be had. */
export interface DatasetPlace {
  readonly kind: "local" | "cached" | "hub" | "absent";
  /** Paths, or the repository on the hub; empty when there is none. */
  readonly files: readonly string[];
}

const DATA_FILE = /\.(?:jsonl|json|parquet)(?:\.gz)?$/i;

/**
 * Opens what a request names: a path first, else a name of the registry, looked for in the folder of ZEROTIR_DATA, in
 * the cache and on the hub.
 * @throws UserError saying where it was looked for
 */
export async function openDataset(
  request: DatasetRequest,
  env: DataEnvironment = process.env,
  onProgress?: DownloadProgress,
  signal?: AbortSignal,
): Promise<Dataset> {
  const { dataset } = request;
  const named = isPath(dataset) ? undefined : namedSplit(request);
  if (named === undefined) {
    const files = await filesOfPath(request);
    return { name: dataset, split: request.split, files, rows: await readRows(await open(files), request) };
  }
  const { entry, splitName, split } = named;
  const place = placeOf(split, env);
  if (place.kind === "cached") for (const path of place.files) await checkCached(path);
  const files =
    place.kind === "local" || place.kind === "cached"
      ? place.files
      : await fetchSplit(`${entry.name} (${splitName})`, split, request.offline, env, onProgress, signal);
  return { name: dataset, split: splitName, files, rows: await readRows(await open(files), request, split) };
}

/** Where a split is found without fetching anything. */
export function placeOf(split: DatasetSplit, env: DataEnvironment): DatasetPlace {
  if (env.ZEROTIR_DATA)
    for (const name of split.localFiles) {
      const path = join(env.ZEROTIR_DATA, name);
      if (existsSync(path)) return { kind: "local", files: [path] };
    }
  if (split.hub === undefined) return { kind: "absent", files: [] };
  const cached = hubFiles(split.hub).map(({ cachePath }) => join(cacheFolder(env), cachePath));
  return cached.every((path) => existsSync(path))
    ? { kind: "cached", files: cached }
    : { kind: "hub", files: [split.hub.repository] };
}

/** Where fetched files are kept. */
export function cacheFolder(env: DataEnvironment): string {
  if (env.ZEROTIR_CACHE) return env.ZEROTIR_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "zerotir");
}

async function fetchSplit(
  what: string,
  split: DatasetSplit,
  offline: boolean,
  env: DataEnvironment,
  onProgress: DownloadProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const folder = env.ZEROTIR_DATA || "the folder of ZEROTIR_DATA, which is not set";
  const looked = [
    ...(split.localFiles.length === 0 ? [] : [`${split.localFiles.join(" or ")} in ${folder}`]),
    ...(split.hub === undefined ? [] : [`the cache ${cacheFolder(env)}`]),
  ].join(", and ");
  if (split.hub === undefined)
    throw new UserError(
      `${what} is not here (looked for ${looked}), and is on no hub; set ZEROTIR_DATA to the folder that has it`,
    );
  if (offline || isSet(env.HF_HUB_OFFLINE))
    throw new UserError(
      `${what} is not here (looked for ${looked}), ` +
        `and ${offline ? "--offline" : "HF_HUB_OFFLINE"} forbids to fetch it from ${split.hub.repository}`,
    );
  const files: string[] = [];
  for (const { url, cachePath } of hubFiles(split.hub, env.HF_ENDPOINT || HUB_ENDPOINT))
    files.push(
      await download({
        url,
        target: join(cacheFolder(env), cachePath),
        token: env.HF_TOKEN || undefined,
        onProgress: (done, total) => onProgress?.(basename(cachePath), done, total),
        signal,
      }),
    );
  return files;
}

/** The files of a path: itself, or those of a folder that belong to the split. */
async function filesOfPath(request: DatasetRequest): Promise<string[]> {
  const { dataset, split, role } = request;
  const stats = await fs.stat(dataset).catch(() => undefined);
  if (stats === undefined) {
    if (isPath(dataset)) throw new UserError(`${dataset}: no such file; expected JSONL, JSON or parquet`);
    const names = datasets.map(({ name }) => name);
    throw new UserError(
      `there is no data set ${JSON.stringify(dataset)}, and no file of that name; ` +
        `the nearest name is ${nearest(dataset, names)} (zerotir data list has all)`,
    );
  }
  if (!stats.isDirectory()) {
    if (split !== null)
      throw new UserError(`${dataset} is one file, which has no splits; leave --dataset-split ${split} out`);
    return [dataset];
  }
  const folders = [dataset, join(dataset, "data")].filter((folder) => existsSync(folder));
  const listed = await Promise.all(
    folders.map(async (folder) =>
      (await fs.readdir(folder)).sort().map((name) => ({ name, path: join(folder, name) })),
    ),
  );
  const files = listed.flat().filter(({ name }) => DATA_FILE.test(name));
  const splitOf = (name: string) => name.replace(DATA_FILE, "").replace(/-\d{5}-of-\d{5}.*$/, "");
  const wanted = split ?? preferred([...new Set(files.map(({ name }) => splitOf(name)))], role);
  const found = files.filter(({ name }) => splitOf(name) === wanted).map(({ path }) => path);
  if (found.length === 0)
    throw new UserError(
      `${dataset}: has no data file of split ${JSON.stringify(wanted)}; ` +
        `expected ${wanted}.jsonl, ${wanted}.json, ${wanted}.parquet or ${wanted}-00000-of-00001.parquet`,
    );
  return found;
}

async function open(paths: readonly string[]): Promise<DataFile[]> {
  return Promise.all(
    paths.map(async (path) => {
      const source = await nodeFolder(resolve(path, "..")).open(basename(path));
      if (source === undefined) throw new UserError(`${path}: no such file; expected JSONL, JSON or parquet`);
      return { name: path, size: source.size, read: (offset: number, length: number) => source.read(offset, length) };
    }),
  );
}

/** Whether a text can only be a path: it has a folder in it, or ends as a data file does. */
function isPath(text: string): boolean {
  return /[/\\]/.test(text) || DATA_FILE.test(text);
}

export function isSet(value: string | undefined): boolean {
  return value !== undefined && /^(?:1|on|yes|true)$/i.test(value);
}
