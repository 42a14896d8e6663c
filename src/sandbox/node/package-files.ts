/** Which files of a folder or archive of Python packages go into the interpreter. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../base/errors";
import { readZip } from "./zip";

/** Packages live in the memory of every thread's host; sympy and mpmath take 40 MiB. */
const LIMIT_BYTES = 256 * 1024 * 1024;
/** First bytes of byte code of CPython 3.11. */
const MAGIC = Buffer.from([0xa7, 0x0d, 0x0d, 0x0a]);
const SKIPPED_FOLDERS = /^(?:tests?|__pycache__|\..*|.*\.(?:dist-info|egg-info|data))$/;
const SKIPPED_FILES = /^\.|\.(?:so|pyd|dll|dylib|a|o)$/;

/**
 * Reads packages: a folder that holds them, as site-packages does, or a zip or wheel. Tests and native code are left
 * out. Where a folder has byte code of CPython 3.11 that fits its source, that takes the source's place and saves
 * compiling it.
 *
 * @returns files by path below the folder, sorted
 */
export function readPackages(path: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  const add = (name: string, data: Uint8Array) => {
    bytes += data.length;
    if (bytes > LIMIT_BYTES)
      throw new UserError(`${path}: more than ${LIMIT_BYTES >> 20} MiB of Python packages; give fewer.`);
    files.set(name, data);
  };
  if (!existsSync(path)) throw new UserError(`${path}: no such file; expected a folder or zip of Python packages.`);
  if (statSync(path).isDirectory()) walk(path, "", add);
  else {
    const parts = (name: string) => name.split("/");
    for (const [name, data] of unzip(path))
      if (
        !parts(name)
          .slice(0, -1)
          .some((part) => SKIPPED_FOLDERS.test(part)) &&
        !parts(name).includes("..")
      )
        if (!SKIPPED_FILES.test(parts(name).at(-1) ?? "")) add(name, data);
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Names that can be imported from the top of the files. */
export function topModules(files: Iterable<string>): string[] {
  const names = [...files].flatMap((path) => /^([A-Za-z_]\w*)(?:\/__init__)?\.pyc?$/.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort();
}

function unzip(path: string): Map<string, Uint8Array> {
  try {
    return readZip(readFileSync(path), LIMIT_BYTES);
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new UserError(`${path}: not a zip that can be read (${why}); expected Python packages.`);
  }
}

function walk(folder: string, prefix: string, add: (name: string, data: Uint8Array) => void): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const { name } = entry;
    const place = join(folder, name);
    // A package may be linked into the folder; links inside of packages could go in circles.
    const kind = entry.isSymbolicLink() && prefix === "" ? statSync(place) : entry;
    if (kind.isDirectory() && !SKIPPED_FOLDERS.test(name)) walk(place, `${prefix}${name}/`, add);
    else if (kind.isFile() && !SKIPPED_FILES.test(name)) {
      const code = name.endsWith(".py") ? byteCode(folder, name) : undefined;
      if (code === undefined) add(`${prefix}${name}`, readFileSync(place));
      else add(`${prefix}${name}c`, code);
    }
  }
}

/** The cached byte code of a source file, if its header names that file's time and size (PEP 552). */
function byteCode(folder: string, name: string): Buffer | undefined {
  const path = join(folder, "__pycache__", name.replace(/py$/, "cpython-311.pyc"));
  if (!existsSync(path)) return undefined;
  const code = readFileSync(path);
  const { mtimeMs, size } = statSync(join(folder, name));
  const fits =
    code.length > 16 &&
    code.subarray(0, 4).equals(MAGIC) &&
    code.readUInt32LE(4) === 0 &&
    code.readUInt32LE(8) === Math.floor(mtimeMs / 1000) % 2 ** 32 &&
    code.readUInt32LE(12) === size % 2 ** 32;
  return fits ? code : undefined;
}
