import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this package: the nearest one above this file whose package.json is named zerotir. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "zerotir") return folder;
    const parent = dirname(folder);
    if (parent === folder) throw new Error("The package.json of zerotir is in no folder above the sandbox's code.");
    folder = parent;
  }
}
