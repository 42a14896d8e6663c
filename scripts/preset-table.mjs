/**
 * Runs every nano preset over several seeds and prints the table of docs/algorithms.md, with the figure of the run with
 * the tool against its control: `node scripts/preset-table.mjs [--runs runs/presets] [--seeds 1,2,3] [--presets
 * nano,nano-dapo] [--figure docs/tool.svg]`. Runs that are finished are not made again, and one that was stopped goes
 * on, so the command can be stopped at any time.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";

const root = join(import.meta.dirname, "..");
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "runs/presets" },
    seeds: { type: "string", default: "1,2,3" },
    presets: { type: "string" },
    figure: { type: "string" },
  },
});
const CONTROL = "nano-notool";
const seeds = values.seeds.split(",").map(Number);
const names = readdirSync(join(root, "presets"))
  .filter((name) => /^nano.*\.yaml$/.test(name))
  .map((name) => name.replace(".yaml", ""))
  .sort((a, b) => Number(b === "nano") - Number(a === "nano") || Number(b === CONTROL) - Number(a === CONTROL));
const presets = values.presets?.split(",") ?? names;

/** @param {string} folder @returns {Record<string, number>[]} */
function rowsOf(folder) {
  const file = join(folder, "metrics.jsonl");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** Steps of a preset: its own, or those of the one that it extends last. @param {string} preset @returns {number} */
function stepsOf(preset) {
  const { max_steps: own, extends: bases = [] } = parse(readFileSync(join(root, "presets", `${preset}.yaml`), "utf8"));
  return own ?? bases.map(stepsOf).findLast((/** @type {number | undefined} */ steps) => steps !== undefined);
}

/** @param {string} preset @param {number} seed */
function run(preset, seed) {
  const folder = join(values.runs, `${preset}-${seed}`);
  if (rowsOf(folder).length < stepsOf(preset)) {
    const resumes = existsSync(join(folder, "checkpoints"));
    const argv = [
      ...["train", "--preset", preset, "--seed", String(seed), "--output-dir", folder],
      ...["--save-steps", "20", "--eval-samples", "0", "--no-html-report", "--json"],
      ...(resumes ? ["--resume-from-checkpoint", "latest"] : []),
    ];
    console.error(`${preset}, seed ${seed}`);
    const { status } = spawnSync(process.execPath, [join(root, "dist/cli.js"), ...argv], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (status !== 0) throw new Error(`${preset}, seed ${seed}: exit status ${status}`);
  }
  return rowsOf(folder);
}

const mean = (/** @type {number[]} */ list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const percent = (/** @type {number} */ share) => (100 * share).toFixed(1);
const column = (/** @type {Record<string, number>[]} */ rows, /** @type {string} */ name) =>
  rows.map((row) => row[name]);

/** @type {Map<string, Record<string, number>[][]>} */
const runs = new Map();
mkdirSync(values.runs, { recursive: true });
for (const preset of presets)
  runs.set(
    preset,
    seeds.map((seed) => run(preset, seed)),
  );

const columns = ["preset", "steps", "accuracy, first 3", `last 5, seeds ${seeds.join(", ")}`, "least gain"];
console.log(`| ${columns.join(" | ")} | code ratio, first 3 to last 5 |`);
console.log("|---|--:|--:|--:|--:|--:|");
for (const [preset, ofSeeds] of runs) {
  const first = mean(ofSeeds.map((rows) => mean(column(rows.slice(0, 3), "rollout/rule_rewards"))));
  const last = ofSeeds.map((rows) => mean(column(rows.slice(-5), "rollout/rule_rewards")));
  const code = (/** @type {number} */ from, /** @type {number | undefined} */ to) =>
    percent(mean(ofSeeds.map((rows) => mean(column(rows.slice(from, to), "rollout/code_rewards")))));
  const gain = Math.min(...last) - first;
  console.log(
    `| ${preset} | ${stepsOf(preset)} | ${percent(first)} | ${last.map(percent).join(", ")} | ${gain < 0 ? "" : "+"}${percent(gain)} | ${code(0, 3)} to ${code(-5, undefined)} |`,
  );
}

const [tool, control] = [runs.get("nano"), runs.get(CONTROL)];
if (values.figure !== undefined && tool !== undefined && control !== undefined) {
  const files = seeds.map((seed, index) => {
    const file = join(values.runs, `tool-and-control-${seed}.jsonl`);
    const lines = (tool[index] ?? []).map((row, at) =>
      JSON.stringify({
        step: row.step,
        "with Python": row["rollout/rule_rewards"],
        "code ratio": row["rollout/code_rewards"],
        "without Python": control[index]?.[at]?.["rollout/rule_rewards"],
      }),
    );
    writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  });
  const plot = join(root, "scripts/plot-curves.mjs");
  const title = "Accuracy on nano";
  execFileSync(process.execPath, [plot, values.figure, title, "with Python,code ratio,without Python", ...files]);
}
