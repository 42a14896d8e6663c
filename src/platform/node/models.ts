/**
 * A model's folder in Node: one that is shipped, a path, or a repository of the Hugging Face hub, whose files are
 * fetched when they are read.
 */
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { UserError } from "../../base/errors";
import { isRecord, type JsonObject } from "../../base/json";
import { must } from "../../base/must";
import { HUB_ENDPOINT, type HubFile, type HubModel, hubModelFile, hubModelInfo } from "../../data/hub";
import { type FolderReader, readText } from "../../model/folder";
import { packageRoot } from "../../sandbox/node/paths";
import type { ModelFetching } from "../../session/host";
import { cacheFolder, type DataEnvironment, isSet } from "./datasets";
import { download, hasChecksum } from "./download";
import { nodeFolder } from "./files";

interface Listing {
  readonly commit: string;
  readonly files: string[];
}

/**
 * The folder of a model: a path first, a shipped one by its name, `ORG/NAME` or `ORG/NAME@REVISION` on the hub. Nothing
 * is fetched before it is read.
 */
export function modelFolder(
  nameOrPath: string,
  fetching: ModelFetching = {},
  env: DataEnvironment = process.env,
): FolderReader {
  if (existsSync(nameOrPath)) return nodeFolder(nameOrPath);
  const shipped = join(packageRoot(), "checkpoints", nameOrPath);
  if (nameOrPath === basename(nameOrPath) && existsSync(shipped)) return nodeFolder(shipped);
  const [, repository, revision = "main"] = /^(\w[\w.-]*\/\w[\w.-]*)(?:@([\w.-][\w./-]*))?$/.exec(nameOrPath) ?? [];
  return repository === undefined ? nodeFolder(nameOrPath) : hubFolder({ repository, revision }, fetching, env);
}

/**
 * The commit behind a branch is kept at the first use, so that files of two commits are never mixed and a later run
 * gets the same weights.
 */
function hubFolder(
  model: HubModel,
  { offline = false, onProgress, signal }: ModelFetching,
  env: DataEnvironment,
): FolderReader {
  const { repository } = model;
  const endpoint = env.HF_ENDPOINT || HUB_ENDPOINT;
  const token = env.HF_TOKEN || undefined;
  const forbidden = offline ? "--offline" : isSet(env.HF_HUB_OFFLINE) ? "HF_HUB_OFFLINE" : undefined;
  const fetched = async ({ url, cachePath }: HubFile, progress?: (done: number, total: number | undefined) => void) => {
    const target = join(cacheFolder(env), cachePath);
    if (forbidden !== undefined && !existsSync(target))
      throw new UserError(
        `${repository}: there is no such folder, the cache has no ${target}, and ${forbidden} forbids to fetch it`,
      );
    return download({
      url,
      target,
      token,
      onProgress: progress,
      signal,
      explain: (status, code) => refusal(model, status, code, token !== undefined),
    });
  };
  const list = async (): Promise<Listing> => {
    const info = hubModelInfo(model, endpoint);
    const isHere = existsSync(join(cacheFolder(env), info.cachePath));
    const fromPython = forbidden === undefined || isHere ? undefined : await pythonListing(model, env);
    if (fromPython !== undefined) return fromPython;
    const file = await fetched(info);
    return readListing(must(await readText(nodeFolder(dirname(file)), basename(file)), file), repository);
  };
  let listing: Promise<Listing> | undefined;
  const opened = new Map<string, Promise<string>>();
  return {
    path: repository,
    async list() {
      listing ??= list();
      return (await listing).files;
    },
    async open(name) {
      listing ??= list();
      const { commit, files } = await listing;
      if (!files.includes(name)) return undefined;
      const find = async () =>
        (await pythonFile(model, commit, name, env)) ??
        fetched(hubModelFile(repository, commit, name, endpoint), (done, total) => onProgress?.(name, done, total));
      const path = opened.get(name) ?? find();
      opened.set(name, path);
      return nodeFolder(dirname(await path)).open(name);
    },
  };
}

/**
 * Where Python's huggingface_hub keeps a model: `refs` name commits, `snapshots` have their files as links to `blobs`.
 */
function pythonCache({ repository }: HubModel, env: DataEnvironment): string {
  const caches = env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const hub = env.HF_HUB_CACHE || join(env.HF_HOME || join(caches, "huggingface"), "hub");
  return join(hub, `models--${repository.replaceAll("/", "--")}`);
}

/** What Python has fetched of a revision; undefined when it has not. */
async function pythonListing(model: HubModel, env: DataEnvironment): Promise<Listing | undefined> {
  const cache = pythonCache(model, env);
  const named = await fs.readFile(join(cache, "refs", model.revision), "utf8").catch(() => model.revision);
  const commit = named.trim();
  if (!COMMIT.test(commit)) return undefined;
  const files = await nodeFolder(join(cache, "snapshots", commit)).list();
  return files && { commit, files };
}

/** A file of a commit that Python has fetched; undefined when it has not. */
async function pythonFile(
  model: HubModel,
  commit: string,
  name: string,
  env: DataEnvironment,
): Promise<string | undefined> {
  const path = join(pythonCache(model, env), "snapshots", commit, name);
  const blob = await fs.realpath(path).catch(() => undefined);
  if (blob === undefined) return undefined;
  // Large files are called by their checksum there.
  if (/^[0-9a-f]{64}$/.test(basename(blob)) && !(await hasChecksum(blob, basename(blob))))
    throw new UserError(`${path}: is not what was fetched (its checksum is not ${basename(blob)}); delete ${blob}`);
  return path;
}

const COMMIT = /^[0-9a-f]{40}$/;

/** Names below a folder are left out: a checkpoint has none, and a name must not lead out of the cache. */
function readListing(text: string, repository: string): Listing {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const { sha: commit, siblings }: JsonObject = isRecord(json) ? json : {};
  if (typeof commit !== "string" || !COMMIT.test(commit))
    throw new UserError(`${repository}: the hub names no commit; check HF_ENDPOINT, and the cache of ZEROTIR_CACHE`);
  const entries: unknown[] = Array.isArray(siblings) ? siblings : [];
  const files = entries.flatMap((entry) => {
    const name = isRecord(entry) ? entry.rfilename : undefined;
    return typeof name === "string" && /^\w[\w.-]*$/.test(name) ? [name] : [];
  });
  return { commit, files };
}

function refusal(
  { repository, revision }: HubModel,
  status: number,
  code: string,
  hasToken: boolean,
): string | undefined {
  if (status !== 401 && status !== 403 && status !== 404) return undefined;
  const access = hasToken ? "" : " and set HF_TOKEN to an access token of yours";
  if (code === "GatedRepo" || status === 403)
    return `${repository}: is gated (${status}); accept its terms on its page on the hub${access}`;
  if (code === "RevisionNotFound") return `${repository}: has no revision ${revision} on the hub (${status})`;
  return (
    `${repository}: there is no such folder, and the hub has no such model or it is private (${status}); ` +
    "check the name, or set HF_TOKEN to a token that may read it"
  );
}
