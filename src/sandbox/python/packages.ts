/** A snapshot in which packages of the user are imported, made from the assets of the plain interpreter. */

import { must } from "../../base/must";
import { loadForBoot, type PackedFile, type PythonManifest, type ReadAsset } from "./assets";
import { PACKAGE_FOLDER, packageBootFiles } from "./bootstrap";
import { makeSnapshot } from "./snapshot";
import { PAGE, setMemory } from "./wasm-binary";

/** What a new folder of assets is made of. Sizes and hashes of the manifest's `files` are the caller's to fill in. */
export interface PackagedPython {
  manifest: PythonManifest;
  wasm: Uint8Array<ArrayBuffer>;
  image: Uint8Array;
  /** The packages' files, one behind the other. */
  files: Uint8Array;
}

/**
 * Starts the interpreter with the packages under /packages, imports some of them and takes its memory. Blocks the
 * thread for seconds.
 *
 * @param packages files by path below the folder: `sympy/__init__.pyc`
 * @param imports modules to import
 * @param maximumPages largest memory written into the file
 * @throws Error when an import fails; the message holds Python's own
 */
export async function packagePython(
  read: ReadAsset,
  packages: ReadonlyMap<string, Uint8Array>,
  imports: readonly string[],
  maximumPages: number,
): Promise<PackagedPython> {
  const { manifest, wasm, initial } = await loadForBoot(read);
  const { stack } = manifest.snapshot;
  const placed: PackedFile[] = [];
  let at = 0;
  for (const [path, data] of packages) {
    placed.push({ path: `${PACKAGE_FOLDER}/${path}`, at, bytes: data.length });
    at += data.length;
  }
  const files = new Uint8Array(at);
  const mounted = new Map(packageBootFiles(imports));
  for (const { path, at, bytes } of placed) mounted.set(path, files.subarray(at, at + bytes));
  for (const [index, data] of [...packages.values()].entries())
    files.set(data, must(placed[index], "a place of a file").at);
  const module = await WebAssembly.compile(setMemory(wasm, stack.top / PAGE, maximumPages));
  const { image, facts } = makeSnapshot(module, stack, mounted, initial);
  return {
    manifest: { ...manifest, snapshot: facts, packages: { bytes: at, files: placed } },
    wasm: setMemory(wasm, facts.pages, maximumPages),
    image,
    files,
  };
}
