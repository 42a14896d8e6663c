/** Training on given answers: which tokens are learned, and whether they are. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TrainingPass } from "../../src/model/policy-pass";
import { sftOptions } from "../../src/options/supervised";
import { silentEvents } from "../../src/session/events";
import type { MetricsRow } from "../../src/session/metrics";
import { cut, documentExample, exampleOf } from "../../src/supervised/examples";
import { runSft } from "../../src/supervised/sft";
import { encodeNanoDocument } from "../../src/tasks/nano/corpus";
import { nanoDocument } from "../../src/tasks/nano/documents";
import { ChatTemplate } from "../../src/text/chat-template";
import { promptTemplates } from "../../src/text/templates";
import { downloadAll, modelContext, modelOf, randomTensors } from "../support/reference/models";
import { deterministicFiles, prepare, TINY, tinyHost, tinyRun, tinyTokenizer } from "../train/tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(joinPath(tmpdir(), "zerotir-sft-"));
  await prepare(root);
  const rows = Array.from({ length: 60 }, (_, i) =>
    JSON.stringify({ prompt: `${i % 7}+${i % 5}`, completion: `is ${(i % 7) + (i % 5)}` }),
  );
  await fs.writeFile(joinPath(root, "answers.jsonl"), rows.join("\n"));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

async function run(name: string, values: Record<string, unknown> = {}) {
  const outputDir = joinPath(root, name);
  const options = sftOptions.resolve([
    {
      source: "the test",
      spelling: "file",
      values: {
        dataset: joinPath(root, "answers.jsonl"),
        modelNameOrPath: joinPath(root, "model"),
        promptTemplate: "nano",
        numTrainEpochs: 1,
        saveSteps: 4,
        maxLength: 32,
        learningRate: 1e-2,
        evalSamples: 3,
        seed: 4,
        ...values,
      },
    },
  ]);
  const steps: MetricsRow[] = [];
  const notices: string[] = [];
  const summary = await runSft({ ...options, outputDir }, sftOptions.toYaml(options), await tinyHost(), {
    ...silentEvents,
    onNotice: (text) => void notices.push(text),
    onStep: (row) => void steps.push(row),
  });
  return { steps, summary, notices };
}

async function files(name: string): Promise<Record<string, string>> {
  await fs.mkdir(joinPath(root, name, "rollouts"), { recursive: true });
  return deterministicFiles(joinPath(root, name), 8);
}

test("an epoch of answers: the loss falls by more than 1 nat, accuracy rises, resume is byte-identical", async () => {
  const { steps, summary } = await run("whole");
  // 57 of 60 rows are trained on, 8 a step.
  expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(steps.at(-1)?.loss ?? Number.NaN).toBeLessThan((steps[0]?.loss ?? 0) - 1);
  expect(steps.at(-1)?.mean_token_accuracy ?? 0).toBeGreaterThan((steps[0]?.mean_token_accuracy ?? 1) + 0.1);
  expect(steps[0]?.num_tokens).toBeGreaterThan(8 * 6);
  const [loss, accuracy] = summary.table;
  expect(loss?.after ?? Number.NaN).toBeLessThan((loss?.before ?? 0) - 1);
  expect(accuracy?.after ?? 0).toBeGreaterThan(accuracy?.before ?? 1);
  await fs.cp(joinPath(root, "whole/checkpoints/step_00004"), joinPath(root, "resumed/checkpoints/step_00004"), {
    recursive: true,
  });
  await fs.cp(joinPath(root, "whole/metrics.jsonl"), joinPath(root, "resumed/metrics.jsonl"));
  const resumed = await run("resumed", { resumeFromCheckpoint: joinPath(root, "resumed/checkpoints/step_00004") });
  expect(resumed.steps).toHaveLength(4);
  expect(await files("resumed")).toEqual(await files("whole"));
});

test("packing changes nothing: one micro-batch or many", async () => {
  const packed = await run("packed", { maxSteps: 2 });
  const single = await run("single", { maxSteps: 2, microBatchTokens: 1, gradientCheckpointing: true });
  single.steps.forEach(({ loss, mean_token_accuracy }, i) => {
    expect(loss).toBeCloseTo(packed.steps[i]?.loss ?? Number.NaN, 5);
    expect(mean_token_accuracy).toBe(packed.steps[i]?.mean_token_accuracy);
  });
});

test("trains on the rollouts that a run of ours recorded, and on synthetic documents", async () => {
  const { path } = await tinyRun(root, "rl", { values: { maxSteps: 1 } });
  const dataset = joinPath(path, "rollouts/step_00001.jsonl");
  const { steps } = await run("recorded", { dataset, minReward: 1, maxLength: 64, maxSteps: 4, evalSamples: 0 });
  expect(steps.at(-1)?.loss ?? Number.NaN).toBeLessThan(steps[0]?.loss ?? 0);
  await expect(run("none", { dataset, minReward: 2 })).rejects.toThrow(/none has a reward of 2 or more/);
  const nano = await run("nano", { dataset: "nano", maxSteps: 3, maxLength: 64 });
  expect(nano.steps.at(-1)?.loss ?? Number.NaN).toBeLessThan((nano.steps[0]?.loss ?? 0) - 0.2);
  await expect(run("endless", { dataset: "nano" })).rejects.toThrow(/has no end.*--max-steps/);
});

test("what the tool wrote weighs exactly 0: the gradient is that of the model's own tokens alone", async () => {
  const index = Array.from({ length: 40 }, (_, i) => i).find((i) => nanoDocument(1, i).kind === "python") ?? -1;
  const document = nanoDocument(1, index);
  const example = documentExample(document, tinyTokenizer);
  expect(example.ids).toEqual(encodeNanoDocument(document, tinyTokenizer));
  const learned = tinyTokenizer.decode(example.ids.filter((_, t) => example.scored[t] === 1));
  const own = document.pieces.filter(({ source }) => source === "model").map(({ text }) => text);
  expect(learned).toBe(`${own.join("")}<|endoftext|>`);
  // The same gradient as with every token scored and a coefficient of 0 for the prompt's and the tool's.
  const model = modelOf(await modelContext(), TINY, randomTensors(TINY));
  const pass = new TrainingPass(model, {
    rows: 64,
    sequences: 1,
    sequenceLength: 64,
    pageSize: 8,
    recompute: false,
    logitsBytes: 2 ** 20,
  });
  const gradient = async (scored: Uint8Array, coefficients: Float32Array) => {
    pass.clearGradients();
    await pass.forward([{ ids: example.ids, scored }], 1);
    pass.backward(coefficients);
    return downloadAll(pass.gradients);
  };
  const count = example.scored.reduce((sum, bit) => sum + bit, 0);
  const masked = await gradient(example.scored, new Float32Array(count).fill(-1 / count));
  const everything = await gradient(
    new Uint8Array(example.ids.length).fill(1),
    Float32Array.from(example.scored.subarray(1), (bit) => (bit === 1 ? -1 / count : 0)),
  );
  for (const [name, values] of masked) {
    const other = everything.get(name);
    const furthest = values.reduce((most, value, i) => Math.max(most, Math.abs(value - (other?.[i] ?? Number.NaN))), 0);
    expect(furthest).toBeLessThan(1e-6);
  }
});

describe("rows", () => {
  const chat = new ChatTemplate(
    new Map([
      [
        "default",
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
      ],
    ]),
    { eos_token: "<|endoftext|>" },
  );
  const context = { tokenizer: tinyTokenizer, frame: promptTemplates.nano, chat };
  const learned = (row: Record<string, unknown>) => {
    const { ids, scored } = exampleOf({ where: "x.jsonl, line 1", row }, context);
    return [tinyTokenizer.decode(ids), tinyTokenizer.decode(ids.filter((_, t) => scored[t] === 1))];
  };

  test("of messages: every turn of the assistant with the token that ends it, and nothing else", () => {
    const messages = [
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
      { role: "tool", content: "c" },
      { role: "assistant", content: "d" },
      { role: "user", content: "e" },
    ];
    expect(learned({ messages })).toEqual([
      "<user>a<|endoftext|>\n<assistant>b<|endoftext|>\n<tool>c<|endoftext|>\n<assistant>d<|endoftext|>",
      "b<|endoftext|>d<|endoftext|>",
    ]);
  });

  test("of prompt and completion: the completion and the end of text", () => {
    expect(learned({ prompt: "1+1", completion: " 2" })).toEqual([
      "User: 1+1\nAssistant: 2<|endoftext|>",
      " 2<|endoftext|>",
    ]);
  });

  test("that are too long are cut, and dropped when no response is left", () => {
    const example = exampleOf({ where: "", row: { prompt: "1+1", completion: "2" } }, context);
    const { length } = example.ids;
    expect(cut(example, length)).toEqual(example);
    expect(cut(example, length - 1)?.ids).toHaveLength(length - 1);
    expect(cut(example, length - 2)).toBeUndefined();
  });

  test.each<[Record<string, unknown>, RegExp]>([
    [{ prompt: "a", answer: "b" }, /line 1: expected .*its columns are prompt, answer/],
    [{ messages: [{ role: "user", content: "a" }] }, /has no turn of the assistant/],
    [{ messages: "a" }, /messages is not a list/],
    [{ messages: [{ role: "user", content: "a" }], tools: ["{"] }, /a tool is a text that is not JSON/],
    [{ prompt_ids: [1], ids: [2], mask: [2] }, /mask of the rollout record is not a list of integers from 0 to 1/],
    [{ prompt_ids: [1], ids: [1e6], mask: [1] }, /ids of the rollout record .*another tokenizer/],
  ])("that are wrong are named: %j", (row, message) => {
    expect(() => learned(row)).toThrow(message);
  });
});
