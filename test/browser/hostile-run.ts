/** A run folder whose texts were all written by somebody who means harm to whoever reads its report. */
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** What a program printed: it tries to end its element, to run, to be read as HTML, and to deceive the reader's eye. */
export const HOSTILE = [
  "</script><script>window.hit = 1</script>",
  "<!--<script>",
  "]]><img src=x onerror='window.hit = 2'><svg onload='window.hit = 3'>",
  "<iframe srcdoc='<script>parent.hit = 4</script>'></iframe><style>body{display:none}</style>",
  "<meta http-equiv=refresh content='0;url=https://example.org/'><base href=https://example.org/>",
  "javascript:window.hit=5 &lt;b&gt; &#60;b&#62; $& $' `window.hit = 6`",
  "\u2028window.hit = 8;\u2029\u202edesrever\u202c \u2066x\u2069 \u200bzero\ufeff \u{e0041}tag",
  "\u001b[2J\u001b]0;title\u0007\u009b31m \u0000 \b \r \u007f",
  "lone \ud800 and \udc00 surrogates",
  `Z${"\u0351".repeat(200)}algo`,
  "__proto__ constructor hasOwnProperty",
].join("\n");

/**
 * The pieces of {@link HOSTILE} that the run's tokenizer decodes its ids to are bytes, so lone surrogates become U+FFFD
 * there.
 */
export function hostileRun(steps = 3, perStep = 8): string {
  const folder = mkdtempSync(join(tmpdir(), "zerotir-hostile-"));
  mkdirSync(join(folder, "rollouts"));
  const checkpoint = join(folder, "checkpoints/step_00001");
  mkdirSync(checkpoint, { recursive: true });
  for (const name of ["tokenizer.json", "tokenizer_config.json"])
    cpSync(join(root, "checkpoints/nano-base", name), join(checkpoint, name));
  writeFileSync(join(checkpoint, "COMPLETE"), '{"files":{}}\n');
  writeFileSync(
    join(folder, "config.resolved.yaml"),
    `model_name_or_path: nano-base\ndataset: ${JSON.stringify(`<img src=x onerror=window.hit=9>${"</script>"}`)}\ntool_url: http://name:password@127.0.0.1/\nmax_steps: ${steps}\nnum_generations: 4\nprompts_per_step: ${perStep / 4}\n`,
  );
  const row = (step: number) => ({
    step,
    reward: step / (2 * steps),
    "rollout/rule_rewards": step / steps,
    "rollout/code_rewards": 1 - step / (2 * steps),
    entropy: 1 / step,
    "rewards/</script><script>window.hit = 10</script>": 1,
  });
  writeFileSync(join(folder, "evaluation.jsonl"), `${JSON.stringify({ step: 0, [`eval/${HOSTILE}`]: 0.5 })}\n`);
  const all = Array.from({ length: steps }, (_, i) => i + 1);
  writeFileSync(join(folder, "metrics.jsonl"), all.map((step) => `${JSON.stringify(row(step))}\n`).join(""));
  for (const step of all) {
    const lines = Array.from({ length: perStep }, (_, i) => `${JSON.stringify(rollout(step, i))}\n`);
    writeFileSync(join(folder, `rollouts/step_${String(step).padStart(5, "0")}.jsonl`), lines.join(""));
  }
  return folder;
}

function rollout(step: number, index: number): object {
  const bytes = [...Buffer.from(HOSTILE)];
  const usesCode = index % 2 === 0;
  const ids = usesCode ? [260, ...bytes, 256] : [...bytes.slice(0, 20), 256];
  const observed = usesCode ? bytes.length : 0;
  return {
    step,
    id: step * 100 + index,
    group: Math.floor(index / 4),
    sample: index % 4,
    prompt: `${HOSTILE} question ${index}`,
    text: usesCode ? HOSTILE : "plain answer",
    model_text: "",
    finish_reason: "stop",
    reward: index % 3 === 0 ? 1 : 0,
    advantage: index % 3 === 0 ? 1.25 : -0.75,
    tools: usesCode ? [{ code: "x", status: "error", stdout: HOSTILE, stderr: HOSTILE, observation: HOSTILE }] : [],
    segments: usesCode
      ? [
          { kind: "code", start: 0, end: 1 },
          { kind: "observation", start: 1, end: 1 + observed },
          { kind: "text", start: 1 + observed, end: ids.length },
        ]
      : [{ kind: "text", start: 0, end: ids.length }],
    prompt_ids: [1],
    ids,
    mask: ids.map((_, i) => (usesCode && i > 0 && i <= observed ? 0 : 1)),
    logprobs: ids.map((_, i) => (usesCode && i > 0 && i <= observed ? 0 : -0.5 - i)),
  };
}
