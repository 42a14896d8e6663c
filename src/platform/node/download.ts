/** A file from the web into a cache: resumed where it stopped, checked, and under its name only when it is whole. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import { reasonOf, UserError } from "../../base/errors";
import {
  fetchReason,
  isTemporary,
  type LoadProgress,
  NotReady,
  RequestLimit,
  retryAfter,
  statedLength,
  untilReady,
} from "../../base/http";
import { explained, syncFolder, writeAll, writeSynced } from "./files";
import { type Release, takeLock } from "./lock";

export interface DownloadOptions {
  readonly url: URL;
  /**
   * Where the finished file lies. Beside it: `.sha256` with its checksum, and while it is fetched `.partial` and
   * `.lock`.
   */
  readonly target: string;
  /** Sent as a bearer token to the first server only, not where it redirects to. */
  readonly token?: string | undefined;
  readonly onProgress?: LoadProgress | undefined;
  /**
   * The sentence for an answer 401, 403 or 404, where a better one is known.
   * @param code the hub's `X-Error-Code`, or empty
   */
  readonly explain?: ((status: number, code: string) => string | undefined) | undefined;
  /** Attempts after an interruption, each going on where the last one stopped. */
  readonly attempts?: number;
  /** Milliseconds without a byte after which an attempt counts as interrupted. */
  readonly stallTimeout?: number;
  /** Milliseconds before the second attempt; doubled each time. */
  readonly retryDelay?: number;
  /** Ends the download; what has arrived is kept. */
  readonly signal?: AbortSignal | undefined;
}

const REDIRECTS = 8;

/**
 * The file at `target`, fetched when it is not there. Its checksum is the one that the server states (`X-Linked-Etag`),
 * and the one written down at the first download: a cached file that no longer has it is refused.
 * @throws UserError with what to do
 */
export async function download(options: DownloadOptions): Promise<string> {
  const { target, url, signal, attempts = 5, retryDelay = 500 } = options;
  if (await isFile(target)) {
    await checkCached(target);
    return target;
  }
  const release = await lock(target);
  try {
    await untilReady(
      () => fetchOnce(options),
      { tries: attempts, firstWaitMs: retryDelay },
      ({ message }) =>
        new UserError(`${url}: ${message}, ${attempts} times; what has arrived is kept, so try again later`),
      signal,
    );
    return target;
  } catch (error) {
    throw explained(error, `cannot write ${target}`, "folder for the cache with ZEROTIR_CACHE");
  } finally {
    await release();
  }
}

/** One process at a time: two would write into the same partial file. */
async function lock(target: string): Promise<Release> {
  const refused = (path: string, what: string) => (error: unknown) => {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: cannot be ${what} (${reasonOf(error)}); choose a cache with ZEROTIR_CACHE`);
  };
  const folder = dirname(target);
  await fs.mkdir(folder, { recursive: true }).catch(refused(folder, "made"));
  const path = `${target}.lock`;
  const inUse = (owner: number | undefined) => {
    const who = owner === undefined ? "another process" : `process ${owner}`;
    return new UserError(`${target}: is being fetched by ${who}; wait until it is done`);
  };
  return takeLock(path, inUse).catch(refused(path, "written"));
}

/**
 * What has arrived of a file, and the entity tag that it had on the server; empty where nobody could say whether the
 * rest belongs to it.
 */
async function partOf(partial: string): Promise<{ readonly arrived: number; readonly tag: string }> {
  const tag = await fs.readFile(`${partial}.etag`, "utf8").catch(() => "");
  const { size } = await fs.stat(partial).catch(() => ({ size: 0 }));
  return { arrived: tag === "" ? 0 : size, tag };
}

async function fetchOnce(options: DownloadOptions): Promise<void> {
  const { url, target, token, explain, onProgress, signal, stallTimeout = 60_000 } = options;
  const partial = `${target}.partial`;
  const { arrived, tag } = await partOf(partial);
  const limit = new RequestLimit(stallTimeout, signal);
  const interrupted = (error: unknown, what = "the connection broke") => {
    signal?.throwIfAborted();
    return new NotReady(limit.isLate ? "the server sent nothing for a while" : `${what} (${fetchReason(error)})`);
  };
  try {
    const headers: Record<string, string> = arrived > 0 ? { Range: `bytes=${arrived}-`, "If-Range": tag } : {};
    const { response, linkedTag } = await follow(url, headers, token, limit.signal).catch((error: unknown) => {
      throw error instanceof UserError ? error : interrupted(error, "the server cannot be reached");
    });
    if (response.status === 416) {
      await discard(target);
      throw new NotReady("the file changed on the server");
    }
    const known = explain?.(response.status, response.headers.get("x-error-code") ?? "");
    if (!response.ok && known !== undefined) throw new UserError(known);
    refuseStatus(response, url, token !== undefined);
    const resumed = response.status === 206;
    if (resumed && rangeStart(response) !== arrived) {
      await discard(target);
      throw new NotReady("the server sent another part than was asked for");
    }
    const length = statedLength(response);
    let done = resumed ? arrived : 0;
    const total = length === undefined ? undefined : done + length;
    const file = await fs.open(partial, resumed ? "a" : "w");
    try {
      // After the old bytes are gone: they must never be taken for the beginning of what this tag stands for.
      if (!resumed) await fs.writeFile(`${partial}.etag`, strongTag(response));
      onProgress?.(done, total);
      const reader = response.body?.getReader();
      while (reader !== undefined) {
        const part = await reader.read().catch((error: unknown) => {
          throw interrupted(error);
        });
        if (part.done) break;
        limit.alive();
        await writeAll(file, part.value);
        done += part.value.byteLength;
        onProgress?.(done, total);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (total !== undefined && done < total) throw new NotReady("the connection broke before the end");
    await finish(target, url, linkedTag);
  } finally {
    limit.end();
  }
}

/** Follows redirects by hand: the hub's own answer has the checksum, and the token must not go further. */
async function follow(
  url: URL,
  headers: Readonly<Record<string, string>>,
  token: string | undefined,
  signal: AbortSignal,
): Promise<{ response: Response; linkedTag: string | undefined }> {
  let address = url;
  let linkedTag: string | undefined;
  for (let redirect = 0; redirect < REDIRECTS; redirect++) {
    const authorization: Record<string, string> =
      token !== undefined && address.origin === url.origin ? { Authorization: `Bearer ${token}` } : {};
    const response = await fetch(address, {
      redirect: "manual",
      headers: { ...headers, "Accept-Encoding": "identity", ...authorization },
      signal,
    });
    const stated = /^"?([0-9a-f]{64})"?$/.exec(response.headers.get("x-linked-etag") ?? "")?.[1];
    linkedTag ??= stated;
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null) return { response, linkedTag };
    await response.body?.cancel();
    address = new URL(location, address);
  }
  throw new UserError(`${url}: redirects without end; check HF_ENDPOINT`);
}

function refuseStatus(response: Response, url: URL, hasToken: boolean): void {
  const { status } = response;
  if (response.ok) return;
  if (status === 401 || status === 403)
    throw new UserError(
      hasToken
        ? `${url}: the hub refuses the token (${status}); ` +
            "accept the data set's terms on its page, or use another HF_TOKEN"
        : `${url}: the hub wants a login (${status}); set HF_TOKEN to an access token of yours`,
    );
  if (status === 404)
    throw new UserError(
      `${url}: no such file on the hub (404); give a path of your own instead, or put the file into ZEROTIR_DATA`,
    );
  if (isTemporary(status))
    throw new NotReady(`the server answered ${status}`, retryAfter(response.headers.get("retry-after")));
  throw new UserError(`${url}: the server answered ${status}; expected a file`);
}

/** Checks what has arrived, writes its checksum down, and gives it its name. */
async function finish(target: string, url: URL, stated: string | undefined): Promise<void> {
  const partial = `${target}.partial`;
  const checksum = await sha256(partial);
  if (stated !== undefined && checksum !== stated) {
    await discard(target);
    throw new UserError(`${url}: arrived with checksum ${checksum}, but the server states ${stated}; try again`);
  }
  const recorded = await recordedChecksum(target);
  if (recorded !== "" && checksum !== recorded) {
    await discard(target);
    throw new UserError(
      `${url}: arrived with checksum ${checksum}, but the copy fetched before had ${recorded}; ` +
        `delete ${target}.sha256 to take the new one`,
    );
  }
  await writeSynced(`${target}.sha256`, `${checksum}\n`);
  await fs.rename(partial, target);
  await fs.rm(`${partial}.etag`, { force: true });
  await syncFolder(dirname(target));
  verified.set(target, await stampOf(target, checksum));
}

/** The checksum of the first download, or an empty text. */
async function recordedChecksum(target: string): Promise<string> {
  return (await fs.readFile(`${target}.sha256`, "utf8").catch(() => "")).trim();
}

/** Files that this process has verified, as they were then: weights of gigabytes are opened several times in a run. */
const verified = new Map<string, string>();

/** Changes whenever somebody writes into a file, or expects another checksum of it. */
async function stampOf(path: string, checksum: string): Promise<string> {
  const { size, mtimeNs, ino } = await fs.stat(path, { bigint: true });
  return [size, mtimeNs, ino, checksum].join(" ");
}

/** @throws UserError when a file has no longer the checksum that was written down when it was fetched */
export async function checkCached(target: string): Promise<void> {
  const expected = await recordedChecksum(target);
  if (expected !== "" && !(await hasChecksum(target, expected)))
    throw new UserError(
      `${target}: changed since it was fetched (its checksum is not that of ${target}.sha256); ` +
        "delete it to fetch it anew",
    );
}

/** Whether a file's sha256, in hexadecimal, is this one. */
export async function hasChecksum(path: string, expected: string): Promise<boolean> {
  const stamp = await stampOf(path, expected);
  if (verified.get(path) === stamp) return true;
  if ((await sha256(path)) !== expected) return false;
  verified.set(path, stamp);
  return true;
}

async function discard(target: string): Promise<void> {
  for (const ending of [".partial", ".partial.etag"]) await fs.rm(`${target}${ending}`, { force: true });
}

/** sha256 of a file's bytes, in hexadecimal. */
async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/** An entity tag that a range request may rely on. */
function strongTag(response: Response): string {
  const tag = response.headers.get("etag") ?? "";
  return tag.startsWith("W/") ? "" : tag;
}

function rangeStart(response: Response): number {
  return Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1] ?? Number.NaN);
}

function isFile(path: string): Promise<boolean> {
  return fs.stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
