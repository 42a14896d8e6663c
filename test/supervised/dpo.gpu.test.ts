/** Training on preferences: margins grow from 0, whatever the reference is. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dpoOptions } from "../../src/options/supervised";
import { silentEvents } from "../../src/session/events";
import type { MetricsRow } from "../../src/session/metrics";
import { runDpo } from "../../src/supervised/dpo";
import { prepare, tinyHost } from "../train/tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-dpo-"));
  await prepare(root);
  const rows = Array.from({ length: 40 }, (_, i) =>
    JSON.stringify({ prompt: `${i % 7}+1`, chosen: `is ${(i % 7) + 1}`, rejected: `no ${i % 5} at all` }),
  );
  await fs.writeFile(join(root, "pairs.jsonl"), rows.join("\n"));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

test.each([
  ["sigmoid", {}, Math.LN2],
  ["rpo", { lossType: "rpo", beta: 0.5 }, 1],
  ["adapter", { usePeft: true, loraR: 4, learningRate: 2e-2 }, Math.LN2],
])("%s: the first loss is that of a margin of 0, and margins grow", async (name, values, firstLoss) => {
  const options = dpoOptions.resolve([
    {
      source: "the test",
      spelling: "file",
      values: {
        dataset: join(root, "pairs.jsonl"),
        modelNameOrPath: join(root, "model"),
        promptTemplate: "nano",
        maxSteps: 8,
        maxLength: 32,
        learningRate: 3e-3,
        evalSamples: 2,
        ...values,
      },
    },
  ]);
  const steps: MetricsRow[] = [];
  await runDpo({ ...options, outputDir: join(root, name) }, dpoOptions.toYaml(options), await tinyHost(), {
    ...silentEvents,
    onStep: (row) => void steps.push(row),
  });
  expect(steps[0]?.loss).toBeCloseTo(firstLoss, 5);
  expect(steps[0]?.["rewards/margins"]).toBeCloseTo(0, 5);
  expect(steps.at(-1)?.loss ?? Number.NaN).toBeLessThan(0.9 * firstLoss);
  expect(steps.at(-1)?.["rewards/margins"] ?? 0).toBeGreaterThan(0.2);
  expect(steps.at(-1)?.["rewards/accuracies"] ?? 0).toBeGreaterThan(0.8);
});
