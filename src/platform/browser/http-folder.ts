/** Files behind addresses, as a page reads them: whole. */
import { UserError } from "../../base/errors";
import { fetchReason, type LoadProgress, loadBody } from "../../base/http";
import type { FolderReader } from "../../model/folder";
import { bytesSource } from "../../model/safetensors/read";
import type { ModelFetching } from "../../session/host";

/** HTTP cannot list a folder, so these names are asked for: what a model of one weights file consists of. */
const MODEL_FILES = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
];

/**
 * A checkpoint folder behind an address. A file is fetched whole when it is opened. Servers that answer every unknown
 * address with their start page are understood: no file of a model is HTML.
 */
export function httpFolder(address: URL, { onProgress, signal }: Omit<ModelFetching, "offline"> = {}): FolderReader {
  const base = new URL(address.href.replace(/\/*$/, "/"));
  const path = base.href.replace(/\/$/, "");
  const place = (name: string) => new URL(encodeURIComponent(name), base);
  return {
    path,
    async list() {
      const exists = async (name: string) => (await request(place(name), "HEAD", signal)) !== undefined;
      const found = await Promise.all(MODEL_FILES.map(async (name) => ((await exists(name)) ? [name] : [])));
      const names = found.flat();
      return names.length > 0 ? names : undefined;
    },
    async open(name) {
      const bytes = await load(place(name), signal, (done, total) => onProgress?.(name, done, total));
      return bytes && bytesSource(bytes);
    },
  };
}

/** A text file behind an address. @throws UserError when there is none */
export async function httpText(address: URL): Promise<string> {
  const bytes = await load(address);
  if (bytes === undefined)
    throw new UserError(`${address}: no such file; expected one, or nano for the synthetic data`);
  return new TextDecoder().decode(bytes);
}

/** A file behind an address. @throws UserError when there is none, or the signal's reason */
export async function httpBytes(address: URL, signal?: AbortSignal, onProgress?: LoadProgress): Promise<Uint8Array> {
  const bytes = await load(address, signal, onProgress);
  if (bytes === undefined) throw new UserError(`${address}: no such file; expected JSONL, JSON or parquet`);
  return bytes;
}

/** The bytes, or undefined when there is no such file. */
async function load(address: URL, signal?: AbortSignal, onProgress?: LoadProgress): Promise<Uint8Array | undefined> {
  const response = await request(address, "GET", signal);
  if (response === undefined) return undefined;
  return loadBody(response, onProgress).catch((error: unknown) => {
    throw unreachable(response.url, error, signal);
  });
}

/** The response, or undefined when there is no such file. */
async function request(address: URL, method: "GET" | "HEAD", signal?: AbortSignal): Promise<Response | undefined> {
  const response = await fetch(address, { method, ...(signal === undefined ? {} : { signal }) }).catch(
    (error: unknown) => {
      throw unreachable(address.href, error, signal);
    },
  );
  if (response.ok && !response.headers.get("content-type")?.startsWith("text/html")) return response;
  await response.body?.cancel();
  if (response.ok || response.status === 404) return undefined;
  throw new UserError(`${address}: the server answered ${response.status}; expected a file`);
}

/** @throws the signal's reason, when that is why */
function unreachable(address: string, error: unknown, signal: AbortSignal | undefined): UserError {
  signal?.throwIfAborted();
  return new UserError(
    `${address}: can't be loaded (${fetchReason(error)}); check the connection, and that the server allows this page`,
  );
}
