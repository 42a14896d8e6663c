/**
 * Writes the declarations of the library into dist/types: what src/index.ts reaches, with file endings in the imports,
 * as Node's resolution needs them.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const target = join(root, "dist/types");
mkdirSync(join(root, "dist"), { recursive: true });
const emitted = mkdtempSync(join(root, "dist/types-"));
try {
  const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const { status } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.types.json", "--outDir", emitted], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("the declarations could not be made");
  rmSync(target, { recursive: true, force: true });
  const waiting = [join(emitted, "src/index.d.ts")];
  const done = new Set(waiting);
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const folder = dirname(file);
    const text = readFileSync(file, "utf8").replace(
      /((?:from|import)\s*\(?\s*)"(\.[^"]*)"/g,
      (_, before, /** @type {string} */ specifier) => {
        const path = join(folder, specifier.replace(/\.ts$/, ""));
        const found = [`${path}.d.ts`, join(path, "index.d.ts")].find(existsSync);
        if (found === undefined) throw new Error(`${relative(emitted, file ?? "")}: ${specifier} has no declaration`);
        if (!done.has(found)) waiting.push(found);
        done.add(found);
        const name = relative(folder, found).replace(/\.d\.ts$/, ".js");
        return `${before}"${name.startsWith(".") ? name : `./${name}`}"`;
      },
    );
    const place = join(target, relative(emitted, file));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
  }
} finally {
  rmSync(emitted, { recursive: true, force: true });
}
