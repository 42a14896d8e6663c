/**
 * Fails on an import that points the wrong way, on a circle between files or between the levels of a folder, and on a
 * `node:` import outside the folders that may have one.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const BELOW_SESSION = [
  "src/gpu",
  "kernels",
  "src/model",
  "src/text",
  "src/sandbox",
  "src/reward",
  "src/rl",
  "src/data",
  "src/tasks",
  "src/rollout",
  "src/options",
];
/** What each folder may import besides itself and src/base, which everything may import. Leaves have an empty list. */
const ALLOWED = {
  "src/base": [],
  shaders: [],
  presets: [],
  "src/gpu": [],
  kernels: ["src/gpu", "shaders"],
  "src/text": [],
  "src/sandbox": [],
  "src/reward": [],
  "src/rl": [],
  "src/web": [],
  "src/report/html/page": ["src/report", "src/web"],
  "src/report": [],
  "src/data": [],
  "src/tasks": ["src/text"],
  "src/model": ["src/gpu", "kernels"],
  "src/rollout": ["src/gpu", "kernels", "src/model", "src/sandbox", "src/text"],
  "src/options": ["presets", "kernels", "src/data", "src/model", "src/reward", "src/rl", "src/sandbox", "src/text"],
  "src/session": BELOW_SESSION,
  "src/supervised": [...BELOW_SESSION, "src/session"],
  "src/train": [...BELOW_SESSION, "src/session"],
  "src/eval": [...BELOW_SESSION, "src/session"],
  "src/diagnostics": ["src/gpu", "kernels", "src/model", "src/rollout", "src/options"],
  "src/platform": ["src/gpu", "src/sandbox", "src/reward", "src/session", "src/options", "src/model", "src/data"],
  "src/run": [
    ...BELOW_SESSION,
    "src/session",
    "src/supervised",
    "src/train",
    "src/eval",
    "src/diagnostics",
    "src/platform",
    "src/report",
  ],
  // The two callers of src/run know nothing of each other. Beside it they need what their options and reports are made
  // of.
  "src/cli": [
    "src/run",
    "src/options",
    "src/session",
    "src/eval",
    "src/report",
    "src/data",
    "src/tasks",
    "src/model",
    "src/reward",
    "src/sandbox",
  ],
  "src/library": [
    "src/run",
    "src/options",
    "src/session",
    "src/eval",
    "src/platform",
    "src/model",
    "src/reward",
    "src/rollout",
  ],
  "src/index.ts": [
    "src/library",
    "src/options",
    "src/session",
    "src/eval",
    "src/report",
    "src/model",
    "src/reward",
    "src/rl",
    "src/rollout",
  ],
  "src/demo": ["*"],
};
const NODE_ALLOWED = ["src/platform/node", "src/run", "src/cli", "src/sandbox/node", "kernels/bench"];

/** @param {string} folder @returns {string[]} */
function files(folder) {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (statSync(join(root, path)).isDirectory()) return files(path);
    return path.endsWith(".ts") ? [path] : [];
  });
}

/** @param {string} path */
function owner(path) {
  return Object.keys(ALLOWED).find((folder) => path === folder || path.startsWith(`${folder}/`));
}

/** @type {string[]} */
const problems = [];
/** @type {Map<string, string[]>} */
const graph = new Map();
for (const file of [...files("src"), ...files("kernels")]) {
  const text = readFileSync(join(root, file), "utf8");
  /** @type {string[]} */
  const targets = [];
  for (const match of text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)) {
    const specifier = match[1] ?? "";
    if (specifier.startsWith("node:") && !NODE_ALLOWED.some((folder) => file.startsWith(`${folder}/`)))
      problems.push(`${file}: ${specifier} belongs in ${NODE_ALLOWED.join(", ")}`);
    if (!specifier.startsWith(".")) continue;
    const target = normalize(relative(root, join(root, dirname(file), specifier.replace(/\?.*$/, ""))));
    targets.push(target);
    const from = owner(file);
    const to = owner(target);
    if (from === undefined || (to === undefined && !target.startsWith("checkpoints/") && target !== "package.json"))
      problems.push(`${file}: ${target} is in no folder of the layout`);
    else if (
      to !== undefined &&
      to !== "src/base" &&
      from !== to &&
      !ALLOWED[from]?.includes("*") &&
      !ALLOWED[from]?.includes(to)
    )
      problems.push(`${file}: ${from} must not import ${to}`);
  }
  graph.set(file, targets);
}

/** @type {Map<string, "open" | "done">} */
const state = new Map();
/** @param {string} file @param {string[]} trail */
function visit(file, trail) {
  if (state.get(file) === "done") return;
  if (state.get(file) === "open") {
    problems.push(`circle: ${[...trail.slice(trail.indexOf(file)), file].join(" -> ")}`);
    return;
  }
  state.set(file, "open");
  for (const target of graph.get(file) ?? []) {
    const resolved = [target, `${target}.ts`, `${target}/index.ts`].find((path) => graph.has(path));
    if (resolved !== undefined) visit(resolved, [...trail, file]);
  }
  state.set(file, "done");
}
for (const file of graph.keys()) visit(file, []);

/**
 * Levels: what stands side by side in a folder, files and subfolders as wholes, must import each other one way only. A
 * file beside a folder that imports from it and is imported by it would make the folder part of two levels.
 */
/**
 * @type {Map<string, Map<string, Map<string, string>>>} folder -> child -> children that it imports, with one such
 * import
 */
const levels = new Map();
for (const [file, targets] of graph)
  for (const target of targets) {
    const resolved = [target, `${target}.ts`, `${target}/index.ts`].find((path) => graph.has(path));
    if (resolved === undefined) continue;
    const [from, to] = [file.split("/"), resolved.split("/")];
    let depth = 0;
    while (from[depth] === to[depth] && depth < from.length - 1) depth++;
    const [folder, child, other] = [from.slice(0, depth).join("/"), from[depth] ?? "", to[depth] ?? ""];
    if (folder === "") continue;
    const children = levels.get(folder) ?? new Map();
    levels.set(folder, children);
    children.set(child, (children.get(child) ?? new Map()).set(other, `${file} -> ${resolved}`));
  }
for (const [folder, children] of levels) {
  const done = new Set();
  /** @param {string} child @param {string[]} trail */
  const climb = (child, trail) => {
    for (const [other, example] of children.get(child) ?? [])
      if (trail.includes(other)) {
        const circle = [...trail.slice(trail.indexOf(other)), other];
        const last = `levels of ${folder}: ${circle.join(" -> ")} (${example})`;
        if (!problems.some((each) => each.startsWith(`levels of ${folder}: `))) problems.push(last);
      } else if (!done.has(other)) climb(other, [...trail, other]);
    done.add(child);
  };
  for (const child of children.keys()) climb(child, [child]);
}

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`imports: ${graph.size} files, no circle, no wrong-way arrow, no level that runs back up`);
