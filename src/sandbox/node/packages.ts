/** Folders of assets in which packages of the user are already imported, made once and kept. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { UserError } from "../../base/errors";
import { MANIFEST_FILE, PACKAGES_FILE, SNAPSHOT_FILE, WASM_FILE } from "../python/assets";
import { packagePython } from "../python/packages";
import { readPackages, topModules } from "./package-files";

export interface PackageOptions {
  /** A folder that holds pure Python packages, or a zip or wheel of them. */
  path: string;
  /** Modules that every program finds imported; all at the top of `path` unless given. */
  imports?: readonly string[];
  /** Where made folders are kept: by default zerotir/python in the user's cache folder. */
  cacheFolder?: string;
}

/** Largest memory written into the file; a call's own limit replaces it. */
const MAXIMUM_PAGES = 4096;

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

/**
 * The folder of assets for an interpreter with these packages. It is named by the hash of all that goes in, and made
 * when it is not there yet, which blocks for seconds to a minute.
 *
 * @throws UserError when the packages can't be read or imported
 */
export async function packageAssets(assetFolder: string, options: PackageOptions): Promise<string> {
  const files = readPackages(options.path);
  const imports = [...(options.imports ?? topModules(files.keys()))];
  const unknown = imports.find((name) => !/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/.test(name));
  if (unknown !== undefined) throw new UserError(`${unknown}: not the name of a Python module.`);
  if (files.size === 0 || imports.length === 0)
    throw new UserError(`${options.path}: no Python package in it; expected folders such as sympy/.`);
  const manifest = join(assetFolder, MANIFEST_FILE);
  if (!existsSync(manifest)) throw new UserError(`${manifest} can't be read. Build the Python assets: npm run build`);
  const key = sha256([readFileSync(manifest), imports.join(), ...[...files].flat()].map((part) => sha256(part)).join());
  const cache = options.cacheFolder ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "zerotir/python");
  const folder = join(cache, key);
  if (existsSync(join(folder, MANIFEST_FILE))) return folder;

  const read = async (name: string) => Uint8Array.from(readFileSync(join(assetFolder, name)));
  const made = await packagePython(read, files, imports, MAXIMUM_PAGES).catch((error: unknown) => {
    const text = error instanceof Error ? error.message.trimEnd() : String(error);
    const last = text.split("\n").at(-1);
    throw new UserError(`${options.path}: importing ${imports.join(", ")} failed in the sandbox: ${last}`);
  });
  const packs: Record<string, Uint8Array> = {
    [WASM_FILE]: made.wasm,
    [SNAPSHOT_FILE]: gzipSync(made.image, { level: 1 }),
    [PACKAGES_FILE]: gzipSync(made.files, { level: 1 }),
  };
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, ".making-"));
  try {
    for (const [name, bytes] of Object.entries(packs)) writeFileSync(join(work, name), bytes);
    const sizes = Object.entries(packs).map(([name, bytes]) => [name, { bytes: bytes.length, sha256: sha256(bytes) }]);
    const description = { ...made.manifest, key, files: Object.fromEntries(sizes) };
    writeFileSync(join(work, MANIFEST_FILE), JSON.stringify(description));
    renameSync(work, folder);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    // Another process made the same at the same time.
    if (!existsSync(join(folder, MANIFEST_FILE))) throw error;
  }
  return folder;
}
