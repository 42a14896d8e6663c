import { UserError } from "../../base/errors";
import type { PythonImage } from "./interpreter";
import type { SnapshotFacts } from "./snapshot";
import { PAGE, setMemory } from "./wasm-binary";

/** What scripts/build-python.mjs writes beside the files it describes. */
export interface PythonManifest {
  format: 1;
  /** Hash of everything the files were made from. */
  key: string;
  python: string;
  snapshot: SnapshotFacts;
  /** Sizes and SHA-256 of `python.wasm` and `snapshot.pack`. */
  files: Record<string, { bytes: number; sha256: string }>;
  /** Added packages: their files, one behind the other in `packages.pack` once that is unpacked. */
  packages?: { bytes: number; files: PackedFile[] };
  /** What the wasm file is made of; the notices are in LICENSES.txt beside it. */
  licences: { component: string; licence: string; source: string }[];
}

export interface PackedFile {
  /** Absolute, as the guest sees it. */
  path: string;
  at: number;
  bytes: number;
}

export const WASM_FILE = "python.wasm";
/** Gzip; not named .gz, or web servers would declare the encoding and browsers would unpack it on the way. */
export const SNAPSHOT_FILE = "snapshot.pack";
/** What `initialMemory` needs; gzip. */
export const BOOT_FILE = "boot.pack";
export const PACKAGES_FILE = "packages.pack";
export const MANIFEST_FILE = "manifest.json";

/** Reads one of the files of the asset folder: from disk in Node, by `fetch` in a browser. */
export type ReadAsset = (name: string) => Promise<Uint8Array<ArrayBuffer>>;

/** The parts of an interpreter, checked against the manifest. */
export interface PythonAssets {
  wasm: Uint8Array<ArrayBuffer>;
  /** Its memory is shared where there is such a thing; elsewhere every worker gets a copy. */
  image: PythonImage;
}

/** Loads and checks the assets. Throws UserError when one is missing or damaged. */
export async function loadPython(read: ReadAsset): Promise<PythonAssets> {
  const manifest = parseManifest(await read(MANIFEST_FILE));
  const { packages } = manifest;
  const [wasm, packed, packedFiles] = await Promise.all([
    checked(read, manifest, WASM_FILE),
    checked(read, manifest, SNAPSHOT_FILE),
    packages === undefined ? undefined : checked(read, manifest, PACKAGES_FILE),
  ]);
  const memory = await unpack(packed, manifest.snapshot.pages * PAGE);
  const files = new Map<string, Uint8Array>();
  if (packages !== undefined && packedFiles !== undefined) {
    const bytes = await unpack(packedFiles, packages.bytes);
    for (const file of packages.files) files.set(file.path, bytes.subarray(file.at, file.at + file.bytes));
  }
  return { wasm, image: { facts: manifest.snapshot, memory, files } };
}

async function checked(read: ReadAsset, manifest: PythonManifest, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await read(name);
  const expected = manifest.files[name];
  if (bytes.length !== expected?.bytes || (await digest(bytes, expected.sha256)) !== expected.sha256)
    throw new UserError(
      `The Python asset ${name} does not match its manifest (size or SHA-256). Rebuild it: npm run build`,
    );
  return bytes;
}

/**
 * The assets and the memory with which an interpreter starts that comes from no snapshot. The file holds the difference
 * (exclusive or) to the first bytes of the snapshot, which is small, as most of both is the standard library.
 */
export async function loadForBoot(
  read: ReadAsset,
): Promise<{ manifest: PythonManifest; wasm: Uint8Array<ArrayBuffer>; initial: Uint8Array }> {
  const manifest = parseManifest(await read(MANIFEST_FILE));
  const { wasm, image } = await loadPython(read);
  const initial = await unpack(await checked(read, manifest, BOOT_FILE), manifest.snapshot.stack.top);
  for (let i = 0; i < initial.length; i++) initial[i] = (initial[i] ?? 0) ^ (image.memory[i] ?? 0);
  return { manifest, wasm, initial };
}

function parseManifest(bytes: Uint8Array): PythonManifest {
  let manifest: PythonManifest;
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new UserError("The Python manifest.json is not JSON. Rebuild it: npm run build");
  }
  if (manifest.format !== 1)
    throw new UserError("The Python manifest.json is of another version. Rebuild it: npm run build");
  return manifest;
}

/** SHA-256 in hex; where a page has no SubtleCrypto (plain http) the size check has to do. */
async function digest(bytes: Uint8Array<ArrayBuffer>, expected: string): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) return expected;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function unpack(packed: Uint8Array<ArrayBuffer>, size: number): Promise<Uint8Array> {
  const shared = typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(size) : new SharedArrayBuffer(size);
  const memory = new Uint8Array(shared);
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > size) throw new UserError("The Python snapshot is larger than its manifest says.");
    memory.set(value, at);
    at += value.length;
  }
  if (at !== size) throw new UserError("The Python snapshot is smaller than its manifest says.");
  return memory;
}

/** Compiles python.wasm once per memory limit. */
export class PythonModules {
  readonly #assets: PythonAssets;
  readonly #byLimit = new Map<number, Promise<WebAssembly.Module>>();

  constructor(assets: PythonAssets) {
    this.#assets = assets;
  }

  /** @param memoryMb largest size of the linear memory in MiB */
  get(memoryMb: number): Promise<WebAssembly.Module> {
    const pages = Math.floor(memoryMb * 16);
    const known = this.#byLimit.get(pages);
    if (known !== undefined) return known;
    // A caller that varies the limit without end must not fill the memory with compiled code.
    const [oldest] = this.#byLimit.keys();
    if (this.#byLimit.size >= 4 && oldest !== undefined) this.#byLimit.delete(oldest);
    const made = WebAssembly.compile(setMemory(this.#assets.wasm, undefined, pages));
    this.#byLimit.set(pages, made);
    return made;
  }
}
