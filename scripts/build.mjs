/**
 * Builds what is in dist/, each part only when one of its sources is newer: the programs and workers (vite), the Python
 * image (scripts/build-python.mjs) and the declarations (scripts/build-types.mjs). Says so in one line; says nothing
 * when all is up to date.
 *
 * node scripts/build.mjs [--all] [--no-types]
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const CODE = ["src", "kernels", "shaders", "presets"];
const SETTINGS = ["package.json", "package-lock.json", "vite.config.ts", "tsconfig.json", "tsconfig.types.json"];

/**
 * The parts: what they are made of, the file by whose time they are judged, and how they are made.
 * @type {{ name: string, sources: string[], made: string, make(): Promise<void> | void }[]}
 */
const PARTS = [
  {
    name: "programs",
    sources: [...CODE, ...SETTINGS, "scripts/vite-program-text.ts"],
    made: "dist/cli.js",
    async make() {
      const vite = await import(pathToFileURL(createRequire(join(root, "package.json")).resolve("vite")).href);
      await vite.build({ root, configFile: join(root, "vite.config.ts"), logLevel: "warn" });
    },
  },
  {
    name: "python",
    sources: ["src/sandbox", "src/base", "package-lock.json", "scripts/build-python.mjs"],
    made: "dist/python/manifest.json",
    make: () => script("build-python.mjs"),
  },
  {
    name: "types",
    sources: [...CODE, ...SETTINGS, "scripts/build-types.mjs"],
    made: "dist/types/src/index.d.ts",
    make: () => script("build-types.mjs"),
  },
];

/** @param {string} name */
function script(name) {
  // Standard output belongs to the program that may start after the build.
  const { status } = spawnSync(process.execPath, [join(root, "scripts", name)], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`scripts/${name} failed`);
}

/**
 * Time of the last change under a file or folder, of a file taken away too; documents do not count.
 *
 * @param {string} path
 * @returns {number}
 */
function changed(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return path.endsWith(".md") ? 0 : stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => changed(join(path, name))));
}

/**
 * Makes the parts of which a source is newer, or all of them.
 *
 * @param {{ types?: boolean, all?: boolean }} [options] `types: false` leaves the declarations, which no program reads.
 */
export async function buildOutdated({ types = true, all = false } = {}) {
  const outdated = PARTS.filter(({ name, sources, made }) => {
    if (name === "types" && !types) return false;
    const at = statSync(join(root, made), { throwIfNoEntry: false })?.mtimeMs;
    return all || at === undefined || sources.some((each) => changed(join(root, each)) > at);
  });
  if (outdated.length === 0) return;
  if (!existsSync(join(root, "node_modules/vite"))) {
    console.error(
      "zerotir: dist/ is out of date and the development dependencies that build it are missing: run npm ci",
    );
    process.exit(2);
  }
  // The Python image, by far the longest, says so itself, if a source of it has changed at all.
  const names = outdated.map(({ name }) => name).filter((name) => name !== "python");
  if (names.length > 0) console.error(`zerotir: sources are newer than dist/, building ${names.join(" and ")} ...`);
  for (const { made, make } of outdated) {
    const began = new Date();
    await make();
    // The time at which the sources were read: what changes while it builds is newer.
    utimesSync(join(root, made), began, began);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildOutdated({ types: !process.argv.includes("--no-types"), all: process.argv.includes("--all") });
  // Mends the image also where no time tells that it is damaged.
  script("build-python.mjs");
}
