/** Evaluation and single questions on the tiny model. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask } from "../../src/eval/ask";
import { runEvaluation } from "../../src/eval/evaluate";
import { withoutTime } from "../../src/rollout/records";
import { evalOptions, sampleOptions } from "../../src/train/eval-options";
import type { Sample } from "../../src/train/events";
import { prepare, tinyHost } from "../train/tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-eval-"));
  await prepare(root);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const shared = () => ({
  modelNameOrPath: join(root, "model"),
  promptTemplate: "nano",
  maxPromptLength: 16,
  maxCompletionLength: 32,
  maxToolCalls: 1,
  maxToolResponseTokens: 16,
  seed: 5,
});

async function evaluate(values: Record<string, unknown> = {}, signal?: AbortSignal) {
  const options = evalOptions.resolve([
    {
      source: "the test",
      spelling: "file",
      values: { ...shared(), dataset: join(root, "questions.jsonl"), ...values },
    },
  ]);
  const lines: string[] = [];
  const progress: [number, number][] = [];
  const result = await runEvaluation(options, await tinyHost(), {
    onProgress: (...at) => void progress.push(at),
    onTrajectory: async (line) => void lines.push(withoutTime(line)),
    ...(signal === undefined ? {} : { signal }),
  });
  return { ...result, figures: new Map(result.figures.map(({ name, value }) => [name, value])), lines, progress };
}

interface Line {
  readonly id: number;
  readonly group: number;
  readonly text: string;
  readonly reward: number;
}

const parsed = (lines: readonly string[]): Line[] => lines.map((line) => JSON.parse(line));

describe("eval", () => {
  test("the figures are those of the lines", async () => {
    const { rows, generations, figures, lines, progress } = await evaluate({ numGenerations: 4 });
    expect([rows, generations, lines.length]).toEqual([12, 4, 48]);
    expect(progress.map(([done]) => done)).toEqual(Array.from({ length: 48 }, (_, i) => i + 1));
    const rewards = parsed(lines).map(({ reward }) => reward);
    const groups = Array.from({ length: 12 }, (_, i) => rewards.slice(4 * i, 4 * i + 4));
    expect(figures.get("avg@4")).toBeCloseTo(rewards.reduce((a, b) => a + b, 0) / 48, 12);
    expect(figures.get("pass@4")).toBeCloseTo(groups.filter((group) => group.includes(1)).length / 12, 12);
    expect(figures.get("avg@4")).toBeGreaterThan(0.2);
    expect(figures.get("avg@4")).toBeLessThan(0.8);
    const blocks = parsed(lines).filter(({ text }) => /```python\n.*\n```/.test(text));
    expect(blocks.length).toBeGreaterThan(5);
  });

  test("neither concurrency nor the number of rows asked for changes an answer", async () => {
    const whole = await evaluate({ numGenerations: 2 });
    expect((await evaluate({ numGenerations: 2, concurrency: 3 })).lines).toEqual(whole.lines);
    expect((await evaluate({ numGenerations: 2, evalSamples: 5 })).lines).toEqual(whole.lines.slice(0, 10));
  });

  test("more rows than are asked at once: every trajectory has an id of its own", async () => {
    const dataset = join(root, "many.jsonl");
    await fs.writeFile(dataset, `${JSON.stringify({ prompt: "1", answer: "2" })}\n`.repeat(70));
    const lines = parsed((await evaluate({ dataset, numGenerations: 2, maxToolCalls: 0 })).lines);
    expect(lines).toHaveLength(140);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(140);
    // The same question with another random key: the last ones do not repeat the first ones.
    expect(lines.slice(-12).map(({ text }) => text)).not.toEqual(lines.slice(0, 12).map(({ text }) => text));
  });

  test("greedy: one answer, whatever the seed", async () => {
    const first = await evaluate({ greedy: true, seed: 1, maxToolCalls: 0 });
    const texts = (lines: readonly string[]) => parsed(lines).map(({ text }) => text);
    expect(texts((await evaluate({ greedy: true, seed: 2, maxToolCalls: 0 })).lines)).toEqual(texts(first.lines));
    expect([...first.figures.keys()]).toContain("accuracy");
  });

  test("top-k 1 is greedy", async () => {
    const texts = (lines: readonly string[]) => parsed(lines).map(({ text }) => text);
    const greedy = await evaluate({ greedy: true, maxToolCalls: 0 });
    expect(texts((await evaluate({ topK: 1, maxToolCalls: 0 })).lines)).toEqual(texts(greedy.lines));
  });

  test("stopped: ends with the reason", async () => {
    await expect(evaluate({}, AbortSignal.abort())).resolves.toMatchObject({ rows: 0 });
  });

  test.each<[string, string, RegExp]>([
    ["no JSON", "prompt: 1\n", /bad\.jsonl, line 1: not JSON/],
    ["no answer", '{"prompt": "1"}\n', /bad\.jsonl, line 1: has no answer under answer/],
    ["no prompt", '\n{"answer": "1"}\n', /bad\.jsonl, line 2: has no text under prompt/],
    ["no rows", "\n\n", /bad\.jsonl: has no rows/],
  ])("a file with %s", async (_, text, message) => {
    const dataset = join(root, "bad.jsonl");
    await fs.writeFile(dataset, text);
    await expect(evaluate({ dataset })).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(message),
    });
  });
});

test("sample: each question as often as asked, in order, without answer or reward", async () => {
  const options = sampleOptions.resolve([
    {
      source: "the test",
      spelling: "file",
      values: { ...shared(), prompt: ["1+1", "2+3"], numGenerations: 3 },
    },
  ]);
  const samples: Sample[] = [];
  await ask(options, await tinyHost(), { onSample: (sample) => void samples.push(sample) });
  expect(samples.map(({ prompt }) => /User: (.*)\n/.exec(prompt)?.[1])).toEqual([
    ...["1+1", "1+1", "1+1"],
    ...["2+3", "2+3", "2+3"],
  ]);
  for (const sample of samples) {
    expect(sample).not.toHaveProperty("answer");
    expect(sample).not.toHaveProperty("reward");
    expect(sample.modelTokens).toBeGreaterThan(0);
  }
});
