/** A run folder made by hand, with everything in it that an exporter could trip over. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";

export const HOSTILE = `"""'; import os; os._exit(3) #\n\\ {x} %s é 日本 \u2028 \ud800 </script>`;

export const ROWS = [
  {
    step: 1,
    loss: -0.1,
    reward: 0.1 + 0.2,
    entropy: null,
    "train/rule_rewards": 1e-300,
    "eval/a:b@1": 0.5,
    step_time: 2.5,
  },
  { step: 2, loss: 0, reward: 1 / 3, entropy: 0.7, "rewards/é;--/mean": -7, step_time: 0.25 },
  { step: 10, loss: 5e-324, reward: 1, entropy: 123456789.125, num_tokens: 9007199254740991, step_time: 1 },
] as const;

export const EVALUATIONS = [
  { step: 0, "eval/nano/avg@1": 0.25, "eval/nano/greedy": null },
  { step: 10, "eval/nano/avg@1": 0.75, "eval/nano/greedy": 0.5 },
] as const;

export const CONFIG = {
  model_name_or_path: "nano-base",
  max_steps: 10,
  learning_rate: 5e-4,
  top_k: null,
  reward_funcs: ["accuracy", HOSTILE],
  system_prompt: HOSTILE,
  tool_url: "http://me:secret@host/run",
  "odd key: @/../x": "",
  long: `${"x".repeat(5999)}😀${"y".repeat(50)}`,
};

/** Every value of the two files, `name@step` to value, nulls left out. */
export const VALUES: ReadonlyMap<string, number> = new Map(
  [...EVALUATIONS, ...ROWS].flatMap(({ step, ...figures }) =>
    Object.entries(figures).flatMap(([name, value]): [string, number][] =>
      value === null ? [] : [[`${name} of ${step}`, value]],
    ),
  ),
);

export async function writeRun(folder: string): Promise<void> {
  const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  await fs.mkdir(join(folder, "rollouts"), { recursive: true });
  await fs.writeFile(join(folder, "metrics.jsonl"), `${lines(ROWS)}{"step":11,"lo`);
  await fs.writeFile(join(folder, "evaluation.jsonl"), lines(EVALUATIONS));
  await fs.writeFile(join(folder, "config.resolved.yaml"), stringify(CONFIG));
  const start = {
    event: "start",
    time: "2026-01-02T03:04:05.000Z",
    zerotir: "0",
    dawn: "0",
    node: "0",
    platform: "p",
    processor: "p",
    adapter: "a",
    model: "m",
    parameters: 1,
    dataset: "d",
    first_step: 0,
    max_steps: 10,
    batch: "b",
  };
  const end = { event: "end", time: "2026-01-02T03:05:05.000Z", outcome: "finished", step: 10, seconds: 60 };
  await fs.writeFile(join(folder, "attempts.jsonl"), lines([start, end]));
  const rollout = {
    step: 10,
    id: 0,
    group: 0,
    sample: 0,
    prompt: HOSTILE,
    text: "```python\nprint(1)\n```",
    finish_reason: "stop",
    reward: 1,
    advantage: -0.5,
    tools: [{ status: "ok" }, { status: "error" }],
    segments: [],
    ids: [],
    mask: [],
    logprobs: [],
  };
  await fs.writeFile(join(folder, "rollouts/step_00002.jsonl"), lines([{ ...rollout, step: 2 }]));
  await fs.writeFile(
    join(folder, "rollouts/step_00010.jsonl"),
    lines([0, 1, 2].map((sample) => ({ ...rollout, sample }))),
  );
}
