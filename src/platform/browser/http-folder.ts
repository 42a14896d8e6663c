import { UserError } from "../../base/errors";
import type { FolderReader } from "../../model/folder";
import { bytesSource } from "../../model/safetensors/read";

/** HTTP cannot list a folder, so these names are asked for: what a model of one weights file consists of. */
const MODEL_FILES = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
];

/**
 * A checkpoint folder behind an address. A file is fetched whole when it is opened. Servers that answer every unknown address with
 * their start page are understood: no file of a model is HTML.
 */
export function httpFolder(address: URL): FolderReader {
  const base = new URL(address.href.replace(/\/*$/, "/"));
  const path = base.href.replace(/\/$/, "");
  const get = (name: string, method: "GET" | "HEAD") => request(new URL(encodeURIComponent(name), base), method);
  return {
    path,
    async list() {
      const found = await Promise.all(MODEL_FILES.map(async (name) => ((await get(name, "HEAD")) ? [name] : [])));
      const names = found.flat();
      return names.length > 0 ? names : undefined;
    },
    async open(name) {
      const response = await get(name, "GET");
      if (response === undefined) return undefined;
      try {
        return bytesSource(new Uint8Array(await response.arrayBuffer()));
      } catch (error) {
        throw unreachable(response.url, error);
      }
    },
  };
}

/** A text file behind an address. @throws UserError when there is none */
export async function httpText(address: URL): Promise<string> {
  const response = await request(address, "GET");
  if (response === undefined)
    throw new UserError(`${address}: no such file; expected one, or nano for the synthetic data`);
  return response.text();
}

/** A file behind an address, fetched whole. @throws UserError when there is none */
export async function httpBytes(address: URL): Promise<Uint8Array> {
  const response = await request(address, "GET");
  if (response === undefined) throw new UserError(`${address}: no such file; expected JSONL, JSON or parquet`);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw unreachable(response.url, error);
  }
}

/** The response, or undefined when there is no such file. */
async function request(address: URL, method: "GET" | "HEAD"): Promise<Response | undefined> {
  const response = await fetch(address, { method }).catch((error: unknown) => {
    throw unreachable(address.href, error);
  });
  if (response.status === 404 || response.headers.get("content-type")?.startsWith("text/html")) return undefined;
  if (!response.ok) throw new UserError(`${address}: the server answered ${response.status}; expected a file`);
  return response;
}

function unreachable(address: string, error: unknown): UserError {
  const why = error instanceof Error ? error.message : String(error);
  return new UserError(
    `${address}: can't be loaded (${why}); check the connection, and that the server allows this page`,
  );
}
