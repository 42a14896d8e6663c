/**
 * Writes the tables of docs/memory.md: `node scripts/memory-tables.mjs`. Each cell is one call of `zerotir plan` over a
 * config.json with the published shape; no weights and no GPU are needed.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** hidden, intermediate, layers, heads, key-value heads, tied, vocabulary: the models' own config.json. */
const MODELS = {
  "Qwen2.5-0.5B": [896, 4864, 24, 14, 2, true, 151936],
  "Qwen2.5-1.5B": [1536, 8960, 28, 12, 2, true, 151936],
  "Qwen2.5-3B": [2048, 11008, 36, 16, 2, true, 151936],
  "Qwen2.5-7B": [3584, 18944, 28, 28, 4, false, 152064],
};
const MEMORIES = ["8GB", "12GB", "16GB", "24GB", "80GB"];
const WAYS = {
  "everything, float32": [],
  "everything, bfloat16": ["--dtype", "bfloat16"],
  "LoRA rank 16, bfloat16": ["--dtype", "bfloat16", "--use-peft", "--lora-r", "16"],
  "LoRA rank 16, int4": ["--dtype", "int4", "--use-peft", "--lora-r", "16"],
};
const LENGTHS = ["--max-prompt-length", "512", "--max-completion-length", "1536"];
const BATCH = ["--prompts-per-step", "16", "--num-generations", "8"];

const root = mkdtempSync(join(tmpdir(), "zerotir-memory-"));
for (const [name, [hidden, intermediate, layers, heads, kvHeads, tied, vocabulary]] of Object.entries(MODELS)) {
  mkdirSync(join(root, name));
  writeFileSync(
    join(root, name, "config.json"),
    JSON.stringify({
      architectures: ["Qwen2ForCausalLM"],
      hidden_size: hidden,
      intermediate_size: intermediate,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      num_key_value_heads: kvHeads,
      tie_word_embeddings: tied,
      vocab_size: vocabulary,
      max_position_embeddings: 32768,
      rms_norm_eps: 1e-6,
      rope_theta: 1e6,
      hidden_act: "silu",
    }),
  );
}

/** @param {string} model @param {string[]} options */
function plan(model, options) {
  const cli = join(import.meta.dirname, "..", "dist", "cli.js");
  try {
    const out = execFileSync(
      "node",
      [cli, "plan", "--model", join(root, model), ...LENGTHS, ...BATCH, ...options, "--json"],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    return JSON.parse(out);
  } catch {
    return undefined;
  }
}

const gibibytes = (/** @type {number} */ bytes) => (bytes / 2 ** 30).toFixed(1);

for (const [way, options] of Object.entries(WAYS)) {
  console.log(`\n### ${way}\n`);
  console.log(`| model | weights, adapter, gradients, optimizer: GiB | ${MEMORIES.join(" | ")} |`);
  console.log(`|---|--:|${MEMORIES.map(() => "---").join("|")}|`);
  for (const model of Object.keys(MODELS)) {
    const fixed = plan(model, [
      ...options,
      "--concurrency",
      "1",
      "--micro-batch-tokens",
      "2048",
      "--gradient-checkpointing",
    ]);
    const { weights = 0, adapter = 0, gradients = 0, optimizer = 0 } = fixed?.bytes ?? {};
    const cells = MEMORIES.map((memory) => {
      const fitted = plan(model, [...options, "--gpu-memory", memory]);
      if (fitted === undefined) return "no";
      const { concurrency, microBatchTokens, gradientCheckpointing } = fitted.sizes;
      return `${concurrency} x, ${microBatchTokens}${gradientCheckpointing ? " r" : ""}`;
    });
    console.log(`| ${model} | ${gibibytes(weights + adapter + gradients + optimizer)} | ${cells.join(" | ")} |`);
  }
}
