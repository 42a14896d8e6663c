/**
 * SwiftShader, Google's Vulkan implementation on the CPU, as the npm package @sparticuz/chromium carries it beside its
 * Chromium (bin/swiftshader.tar.br, with a Vulkan loader). It gives a machine without GPU, Mesa or root an adapter by
 * `npm ci` alone.
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { constants, homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { reasonOf } from "../../base/errors";
import { tarFiles } from "../tar";

/** The npm package that carries SwiftShader; a development dependency, so that nobody with a GPU has to install it. */
export const CARRIER = "@sparticuz/chromium";

const DRIVER = "libvk_swiftshader.so";
const LOADER = "libvulkan.so.1";
const ICD = "vk_swiftshader_icd.json";

/** Absolute paths of the unpacked files. */
export interface SwiftShader {
  /** The JSON file that tells a Vulkan loader where the driver is. */
  readonly icd: string;
  /** The Vulkan loader that came with it. */
  readonly loader: string;
}

function archivePath(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  try {
    let folder = dirname(createRequire(import.meta.url).resolve(CARRIER));
    while (folder !== dirname(folder)) {
      const path = join(folder, "bin", "swiftshader.tar.br");
      if (existsSync(path)) return path;
      folder = dirname(folder);
    }
  } catch {
    // Not installed: the ordinary case for a user with a GPU.
  }
  return undefined;
}

/** Whether the package with SwiftShader is installed where this program can find it. */
export function hasSwiftShader(): boolean {
  return archivePath() !== undefined;
}

function cacheRoots(): string[] {
  const user = typeof process.getuid === "function" ? process.getuid() : 0;
  const home = process.env.XDG_CACHE_HOME || (homedir() === "/" ? "" : join(homedir(), ".cache"));
  return [...(home ? [join(home, "zerotir")] : []), join(tmpdir(), `zerotir-${user}`)];
}

/** Native code is loaded from the cache, so the folder must be ours and closed to others: /tmp is shared. */
function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(folder);
  if (typeof process.getuid === "function" && uid !== process.getuid())
    throw new Error(`${folder} belongs to another user`);
  if ((mode & 0o022) !== 0) chmodSync(folder, 0o700);
}

function unpackInto(root: string, name: string, archive: Uint8Array): string {
  makePrivateFolder(root);
  const target = join(root, name);
  if (existsSync(join(target, ICD))) return target;
  const temporary = mkdtempSync(join(root, "unpack-"));
  try {
    const files = tarFiles(brotliDecompressSync(archive));
    for (const wanted of [DRIVER, LOADER]) {
      const bytes = files.get(wanted);
      if (!bytes) throw new Error(`the archive holds no ${wanted}`);
      writeFileSync(join(temporary, wanted), bytes, { mode: 0o755 });
    }
    const icd = { file_format_version: "1.0.0", ICD: { library_path: join(target, DRIVER), api_version: "1.0.5" } };
    writeFileSync(join(temporary, ICD), JSON.stringify(icd));
    try {
      renameSync(temporary, target);
    } catch (error) {
      // Another process was faster: its files are as good as ours.
      if (!existsSync(join(target, ICD))) throw error;
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return target;
}

/**
 * Unpacks SwiftShader into the user's cache folder ($XDG_CACHE_HOME or ~/.cache, else the temporary folder), once per
 * version of the package. The folder appears by one rename, so a killed or concurrent unpack leaves nothing
 * half-written.
 *
 * @throws Error when the package is not there ({@link hasSwiftShader}), or naming each folder that was tried when none
 * can be written.
 */
export function unpackSwiftShader(): SwiftShader {
  const path = archivePath();
  if (path === undefined)
    throw new Error(`the npm package ${CARRIER} is not installed, or has no build for this machine`);
  const archive = readFileSync(path);
  const name = `swiftshader-${createHash("sha256").update(archive).digest("hex").slice(0, 16)}`;
  const problems: string[] = [];
  for (const root of cacheRoots()) {
    try {
      const folder = unpackInto(root, name, archive);
      return { icd: join(folder, ICD), loader: join(folder, LOADER) };
    } catch (error) {
      problems.push(`${root}: ${reasonOf(error)}`);
    }
  }
  throw new Error(`it could not be unpacked to a cache folder (${problems.join("; ")})`);
}

/**
 * dlopen's RTLD_NODELETE on Linux. Node closes a library that is no addon right after loading it; this flag makes it
 * stay.
 */
const RTLD_NODELETE = 0x1000;

/** Loads a shared library that is not a Node addon. Returns whether the dynamic linker accepted it. */
function loadLibrary(path: string, flags: number): boolean {
  try {
    process.dlopen({ exports: {} }, path, flags);
  } catch (error) {
    // Node's complaint that the library registered no addon comes after the linker loaded it, and is expected here.
    return error instanceof Error && error.message.includes("self-register");
  }
  return true;
}

/** Whether the dynamic linker finds a Vulkan loader by its usual name. */
export function hasSystemLoader(): boolean {
  return loadLibrary(LOADER, constants.dlopen.RTLD_LAZY);
}

/** Loads the given Vulkan loader for good, so that Dawn, which asks for it by its short name, is given this one. */
export function preloadLoader(path: string): boolean {
  return loadLibrary(path, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE);
}
