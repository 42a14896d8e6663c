/** Builds what the tests start as processes and threads: the worker entries in dist/workers, and dist/python. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";

const root = join(import.meta.dirname, "../..");
const stamp = join(root, "dist/workers/.sources");

/** The same entries and names as in vite.config.ts. */
const ENTRIES = {
  "workers/sandbox-child": "src/sandbox/node/child.ts",
  "workers/sandbox-worker": "src/sandbox/node/worker.ts",
  "workers/reward": "src/reward/node-worker.ts",
};

/** A hash over the sources that workers are made of. */
function sourcesKey(entries: Record<string, string>): string {
  const hash = createHash("sha256").update(JSON.stringify(entries));
  for (const folder of ["src/sandbox", "src/reward"]) {
    if (!existsSync(join(root, folder))) continue;
    const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
    for (const name of names.filter((name) => name.endsWith(".ts")).sort())
      hash.update(name).update(readFileSync(join(root, folder, name)));
  }
  return hash.digest("hex");
}

export async function setup(): Promise<void> {
  const entries = Object.fromEntries(Object.entries(ENTRIES).filter(([, source]) => existsSync(join(root, source))));
  const key = sourcesKey(entries);
  const fresh =
    existsSync(stamp) &&
    readFileSync(stamp, "utf8") === key &&
    Object.keys(entries).every((name) => existsSync(join(root, "dist", `${name}.js`)));
  if (!fresh) {
    await build({
      configFile: false,
      root,
      logLevel: "warn",
      build: {
        ssr: true,
        target: "node20",
        outDir: "dist",
        emptyOutDir: false,
        minify: false,
        rollupOptions: {
          input: entries,
          output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
        },
      },
    });
    mkdirSync(join(root, "dist/workers"), { recursive: true });
    writeFileSync(stamp, key);
  }
  if (existsSync(join(root, "src/sandbox/python/build.ts")))
    execFileSync(process.execPath, [join(root, "scripts/build-python.mjs")], {
      stdio: ["ignore", "inherit", "inherit"],
    });
}
