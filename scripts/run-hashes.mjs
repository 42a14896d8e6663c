/**
 * What a change of structure must not move: the bytes that short runs leave. Trains three steps of every `nano*`
 * preset, with an adapter, and of `sft`, `dpo` and `pretrain`, and prints one line of hashes for each: weights,
 * optimizer, metrics without timings, rollouts without times. Equal builds give equal lines on one adapter.
 *
 * node scripts/run-hashes.mjs [--adapter lavapipe] [--cli dist/cli.js] [--only TEXT]
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { values: flags } = parseArgs({
  options: {
    adapter: { type: "string", default: "lavapipe" },
    cli: { type: "string", default: join(root, "dist/cli.js") },
    only: { type: "string", default: "" },
  },
});

const folder = mkdtempSync(join(tmpdir(), "zerotir-hashes-"));
const pairs = Array.from({ length: 40 }, (_, i) => ({
  prompt: `${i}+${i + 1}`,
  chosen: `\\boxed{${2 * i + 1}}`,
  rejected: `\\boxed{${2 * i}}`,
}));
writeFileSync(join(folder, "pairs.jsonl"), pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(""));

const presets = readdirSync(join(root, "presets"))
  .filter((name) => name.startsWith("nano") && name.endsWith(".yaml"))
  .map((name) => name.slice(0, -".yaml".length));
/** @type {[string, string[]][]} */
const runs = [
  .../** @type {[string, string[]][]} */ (presets.map((name) => [name, ["train", "--preset", name]])),
  ["lora", ["train", "--preset", "nano", "--use-peft", "--lora-r", "16"]],
  ["sft", ["sft", "--model-name-or-path", "nano-base", "--dataset", "nano", "--max-length", "256"]],
  ["dpo", ["dpo", "--model-name-or-path", "nano-base", "--dataset", join(folder, "pairs.jsonl"), "--max-length", "64"]],
  ["pretrain", ["pretrain", "--dataset", "nano", "--tokens-per-step", "2048", "--max-length", "64"]],
];

const TIMED = /^(?:time|perf|overlap)\/|^step_time$|_ms$/;
/** @param {string} text @param {(name: string) => boolean} isLeftOut */
const without = (text, isLeftOut) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) =>
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).filter(([key]) => !isLeftOut(key)))),
    )
    .join("\n");
/** @param {string[]} paths @param {(text: Buffer) => string | Buffer} [part] */
function hash(paths, part = (text) => text) {
  const sum = createHash("sha256");
  for (const path of paths) sum.update(part(readFileSync(path)));
  return paths.length === 0 ? "-".padEnd(16) : sum.digest("hex").slice(0, 16);
}

console.log(
  `${"run".padEnd(18)} ${["weights", "optimizer", "metrics", "rollouts"].map((name) => name.padEnd(16)).join(" ")}`,
);
for (const [name, args] of runs.filter(([each]) => each.includes(flags.only))) {
  const output = join(folder, name);
  const common = ["--max-steps", "3", "--save-steps", "3", "--seed", "1", "--adapter", flags.adapter, "--json"];
  execFileSync(process.execPath, [flags.cli, ...args, ...common, "--output-dir", output], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const checkpoint = join(output, "checkpoints/step_00003");
  /** @param {RegExp} pattern */
  const saved = (pattern) =>
    readdirSync(checkpoint)
      .filter((file) => pattern.test(file))
      .sort()
      .map((file) => join(checkpoint, file));
  const rollouts = join(output, "rollouts");
  const hashes = [
    hash(saved(/^(?:adapter_)?model.*\.safetensors$|^critic(?!.*optimizer).*\.safetensors$/)),
    hash(saved(/optimizer.*\.safetensors$/)),
    hash([join(output, "metrics.jsonl")], (text) => without(String(text), (key) => TIMED.test(key))),
    hash(
      existsSync(rollouts)
        ? readdirSync(rollouts)
            .sort()
            .map((file) => join(rollouts, file))
        : [],
      (text) => without(String(text), (key) => key === "time"),
    ),
  ];
  console.log(`${name.padEnd(18)} ${hashes.join(" ")}`);
}
rmSync(folder, { recursive: true });
