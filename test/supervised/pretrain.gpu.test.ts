/** Runs of next-token training on a small corpus file. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pretrainOptions } from "../../src/options/supervised";
import { silentEvents } from "../../src/session/events";
import type { MetricsRow } from "../../src/session/metrics";
import { fileDocuments, takeDocuments } from "../../src/supervised/documents";
import { runPretraining } from "../../src/supervised/pretrain";
import { deterministicFiles, prepare, tinyHost, tinyTokenizer } from "../train/tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-pretrain-"));
  await prepare(root);
  const text = Array.from({ length: 80 }, (_, i) => `${i % 7}+${i % 5} is ${(i % 7) + (i % 5)}`).join("\n\n");
  await fs.writeFile(join(root, "corpus.txt"), text);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

async function run(name: string, values: Record<string, unknown> = {}) {
  const outputDir = join(root, name);
  const options = pretrainOptions.resolve([
    {
      source: "the test",
      spelling: "file",
      values: {
        dataset: join(root, "corpus.txt"),
        modelNameOrPath: join(root, "model"),
        maxSteps: 6,
        saveSteps: 3,
        tokensPerStep: 128,
        maxLength: 16,
        learningRate: 1e-2,
        lrSchedulerType: "cosine",
        warmupSteps: 2,
        evalSamples: 2,
        seed: 4,
        ...values,
      },
    },
  ]);
  const steps: MetricsRow[] = [];
  const summary = await runPretraining({ ...options, outputDir }, pretrainOptions.toYaml(options), await tinyHost(), {
    ...silentEvents,
    onStep: (row) => void steps.push(row),
  });
  return { steps, summary };
}

async function files(name: string): Promise<Record<string, string>> {
  await fs.mkdir(join(root, name, "rollouts"), { recursive: true });
  return deterministicFiles(join(root, name), 6);
}

test("the loss falls, on held-out documents too; equal runs are equal bytes, resumed or not", async () => {
  const { steps, summary } = await run("whole");
  expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(steps.at(-1)?.loss ?? Number.NaN).toBeLessThan((steps[0]?.loss ?? 0) - 0.5);
  const [row] = summary.table;
  expect(row?.after ?? Number.NaN).toBeLessThan(row?.before ?? 0);
  // The cosine is a function of all six steps, so the first three are made under the same --max-steps.
  const checkpoint = join(root, "whole/checkpoints/step_00003");
  await fs.cp(checkpoint, join(root, "resumed/checkpoints/step_00003"), { recursive: true });
  await fs.cp(join(root, "whole/metrics.jsonl"), join(root, "resumed/metrics.jsonl"));
  const resumed = await run("resumed", { resumeFromCheckpoint: join(root, "resumed/checkpoints/step_00003") });
  expect(resumed.steps.map(({ step }) => step)).toEqual([4, 5, 6]);
  expect(await files("resumed")).toEqual(await files("whole"));
});

test("a decay branches off a stable checkpoint: the same run as one that had decayed there from the start", async () => {
  const wsd = { lrSchedulerType: "wsd", evalSamples: 0 };
  await run("stable", { ...wsd, maxSteps: 9, lrDecaySteps: 0 });
  const straight = await run("straight", { ...wsd, maxSteps: 6, lrDecaySteps: 3 });
  const branch = await run("branch", {
    ...wsd,
    maxSteps: 6,
    lrDecaySteps: 3,
    resumeFromCheckpoint: join(root, "stable/checkpoints/step_00003"),
  });
  expect(branch.steps.map(({ learning_rate }) => learning_rate)).toEqual([
    1e-2,
    expect.closeTo((1e-2 * 2) / 3, 9),
    expect.closeTo(1e-2 / 3, 9),
  ]);
  expect(branch.steps.map(({ loss }) => loss)).toEqual(straight.steps.slice(3).map(({ loss }) => loss));
  const weights = (name: string) => fs.readFile(join(root, name, "checkpoints/step_00006/model.safetensors"));
  expect(await weights("branch")).toEqual(await weights("straight"));
  expect(await weights("branch")).not.toEqual(await weights("stable"));
});

test("a mixture is trained on by shares, and each part has a held-out loss of its own", async () => {
  await fs.writeFile(join(root, "other.txt"), Array.from({ length: 40 }, (_, i) => `x ${i % 3}`).join("\n\n"));
  const { steps, summary } = await run("mixture", {
    dataset: `${join(root, "corpus.txt")}:3,${join(root, "other.txt")}:1`,
    maxSteps: 12,
  });
  expect(steps.at(-1)?.loss ?? Number.NaN).toBeLessThan((steps[0]?.loss ?? 0) - 1);
  expect(summary.table.map(({ name }) => name.split("/").at(-1))).toEqual(["corpus.txt", "other.txt"]);
  for (const { before, after } of summary.table) expect(after ?? Number.NaN).toBeLessThan((before ?? 0) - 0.5);
});

test("micro-batches smaller than a document are as large as the longest one", async () => {
  const { steps } = await run("small", { microBatchTokens: 2, maxSteps: 1 });
  const whole = await run("large", { maxSteps: 1 });
  expect(steps[0]?.loss).toBeCloseTo(whole.steps[0]?.loss ?? 0, 5);
});

test("divergence ends with one sentence", async () => {
  await expect(run("diverged", { learningRate: 1e38, warmupSteps: 0 })).rejects.toMatchObject({
    name: "UserError",
    message: expect.stringMatching(/diverged at step \d+.*smaller --learning-rate/),
  });
});

describe("documents of a file", () => {
  test("every twentieth is held out and never trained on", () => {
    const text = Array.from({ length: 40 }, (_, i) => `document ${i}`).join("\n\n");
    const source = fileDocuments(text, "x.txt", 1, tinyTokenizer);
    const read = (ids: Uint32Array) => tinyTokenizer.decode(ids, { skipSpecialTokens: true });
    expect(source.heldOut(5).map(read)).toEqual(["document 19", "document 39"]);
    const stream = source.train();
    const seen = Array.from({ length: 38 }, () => read(stream.next().value ?? new Uint32Array()));
    expect(new Set(seen).size).toBe(38);
    expect(seen).not.toContain("document 19");
    const second = Array.from({ length: 38 }, () => read(stream.next().value ?? new Uint32Array()));
    expect(new Set(second)).toEqual(new Set(seen));
    expect(second).not.toEqual(seen);
  });

  test("empty texts are none", () => {
    expect(() => fileDocuments('{"text": ""}\n', "x.jsonl", 1, tinyTokenizer)).toThrow(/x\.jsonl: holds no document/);
    const source = fileDocuments('{"text": ""}\n{"text": "ab"}\n', "x.jsonl", 1, tinyTokenizer);
    expect(takeDocuments(source.train(), 4, 8)).toHaveLength(2);
  });

  test.each<[string, RegExp]>([
    ['{"text": "a"}\nnonsense\n', /x\.jsonl, line 2: not JSON/],
    ['{"text": 1}\n', /x\.jsonl, line 1: has no "text"/],
  ])("a wrong line is named: %j", (text, message) => {
    expect(() => fileDocuments(text, "x.jsonl", 1, tinyTokenizer)).toThrow(message);
  });
});
