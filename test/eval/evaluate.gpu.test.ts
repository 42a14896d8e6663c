/** Evaluation and single questions on the tiny model. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask } from "../../src/eval/ask";
import { runEvaluation } from "../../src/eval/evaluate";
import type { EvaluationReport } from "../../src/eval/report";
import { targetPlans } from "../../src/eval/target-plans";
import { evalOptions, sampleOptions } from "../../src/options/evaluate";
import { nodeRunFiles } from "../../src/platform/node/run-files";
import type { Transcript } from "../../src/session/events";
import { prepare, tinyHost } from "../train/tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-eval-"));
  await prepare(root);
  await fs.cp(join(root, "model"), join(root, "other"), { recursive: true });
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

interface Line {
  readonly model: string;
  readonly benchmark: string;
  readonly max_tool_calls: number;
  readonly question: number;
  readonly sample: number;
  readonly correct: boolean;
  readonly segments: readonly { readonly kind: string; readonly text: string }[];
  readonly tools: readonly unknown[];
}

interface Evaluated extends EvaluationReport {
  readonly lines: Line[];
  readonly folder: string;
}

let folders = 0;

async function evaluate(
  values: Record<string, unknown> = {},
  { folder = join(root, `out${++folders}`), signal, onProgress = () => {} }: Partial<Settings> = {},
): Promise<Evaluated> {
  const options = evalOptions.resolve([
    {
      source: "the test",
      spelling: "file",
      values: { ...shared(), dataset: join(root, "questions.jsonl"), ...values },
    },
  ]);
  const host = await tinyHost();
  const report = await runEvaluation(
    options,
    await targetPlans(options, host, async (name) => name, undefined),
    host,
    nodeRunFiles(folder),
    evalOptions.toFile(options),
    { onProgress, ...(signal === undefined ? {} : { signal }) },
  );
  const text = await fs.readFile(join(folder, "samples.jsonl"), "utf8").catch(() => "");
  return {
    ...report,
    folder,
    lines: text
      .split("\n")
      .slice(0, -1)
      .map((line): Line => JSON.parse(line)),
  };
}

interface Settings {
  readonly folder: string;
  readonly signal: AbortSignal;
  onProgress(done: number, total: number, what: string): void;
}

const texts = ({ lines }: Evaluated) => lines.map(({ segments }) => segments.map(({ text }) => text).join(""));
const bytes = async ({ folder }: Evaluated) =>
  Promise.all(["samples.jsonl", "report.json", "table.md"].map((name) => fs.readFile(join(folder, name), "utf8")));

describe("eval", () => {
  test("the figures are those of the lines", async () => {
    const { cells, lines, samples, generations } = await evaluate({ numGenerations: 4 });
    expect([cells.length, samples, generations, lines.length]).toEqual([1, 48, 4, 48]);
    const groups = Array.from({ length: 12 }, (_, i) => lines.slice(4 * i, 4 * i + 4));
    expect(groups.every((group, question) => group.every((line) => line.question === question))).toBe(true);
    const figures = cells[0]?.figures;
    const right = lines.filter(({ correct }) => correct).length;
    expect(figures).toMatchObject({ questions: 12, generations: 4, right });
    expect(figures?.average.value).toBeCloseTo(right / 48, 12);
    const passed = groups.filter((group) => group.some(({ correct }) => correct)).length;
    expect(figures?.pass.map(({ k }) => k)).toEqual([2, 4]);
    expect(figures?.pass.at(-1)?.value).toBeCloseTo(passed / 12, 12);
    expect(figures?.callsPerAnswer).toBeCloseTo(lines.reduce((sum, { tools }) => sum + tools.length, 0) / 48, 12);
    expect(right).toBeGreaterThan(10);
    expect(right).toBeLessThan(38);
    expect(texts({ lines } as Evaluated).filter((text) => /```python\n.*\n```/.test(text)).length).toBeGreaterThan(5);
  });

  test("neither concurrency nor the number of rows asked for changes an answer", async () => {
    const whole = await evaluate({ numGenerations: 2 });
    expect((await evaluate({ numGenerations: 2, concurrency: 3 })).lines).toEqual(whole.lines);
    expect((await evaluate({ numGenerations: 2, evalSamples: 5 })).lines).toEqual(whole.lines.slice(0, 10));
  });

  test("more rows than are asked at once: every sample is drawn on its own", async () => {
    const dataset = join(root, "many.jsonl");
    await fs.writeFile(dataset, `${JSON.stringify({ prompt: "1", answer: "2" })}\n`.repeat(70));
    const many = await evaluate({ dataset, numGenerations: 2, maxToolCalls: 0 });
    expect(many.lines.map(({ question, sample }) => 2 * question + sample)).toEqual(
      Array.from({ length: 140 }, (_, i) => i),
    );
    // The same question with another random key: the last ones do not repeat the first ones.
    expect(texts(many).slice(-12)).not.toEqual(texts(many).slice(0, 12));
  });

  test("greedy: one answer, whatever the seed, and that of top-k 1", async () => {
    const first = await evaluate({ greedy: true, seed: 1, maxToolCalls: 0 });
    expect(texts(await evaluate({ greedy: true, seed: 2, maxToolCalls: 0 }))).toEqual(texts(first));
    expect(texts(await evaluate({ topK: 1, maxToolCalls: 0 }))).toEqual(texts(first));
  });

  test("models x N_max x benchmarks in one call: one cell each, the same as alone", async () => {
    const values = {
      modelNameOrPath: [join(root, "model"), join(root, "other")],
      dataset: [join(root, "questions.jsonl"), "nano-mul"],
      maxToolCalls: [0, 1],
      evalSamples: 3,
      numGenerations: 2,
    };
    const report = await evaluate(values);
    expect(report.cells.map((cell) => [cell.label, cell.benchmark, cell.maxToolCalls])).toEqual(
      ["model", "other"].flatMap((label) =>
        ["questions", "nano-mul"].flatMap((benchmark) => [0, 1].map((calls) => [label, benchmark, calls])),
      ),
    );
    const called = (calls: number) =>
      report.lines.filter((line) => line.max_tool_calls === calls).flatMap(({ tools }) => tools).length;
    expect(called(0)).toBe(0);
    expect(called(1)).toBeGreaterThan(0);
    const alone = await evaluate({
      ...values,
      modelNameOrPath: join(root, "other"),
      dataset: "nano-mul",
      maxToolCalls: 1,
    });
    expect(alone.cells[0]?.figures).toEqual(report.cells.at(-1)?.figures);
    expect(report.lines.slice(-6)).toEqual(alone.lines);
  });
});

describe("an evaluation that was stopped", () => {
  const values = { numGenerations: 3, dataset: ["nano", "nano-mul"], evalSamples: 6 };

  test("goes on with what is missing, and leaves the files of one that was not", async () => {
    const whole = await evaluate(values);
    const stop = new AbortController();
    const stopped = await evaluate(values, {
      signal: stop.signal,
      onProgress: (done) => (done >= 20 ? stop.abort() : undefined),
    });
    expect(stopped.finished).toBe(false);
    expect(stopped.samples).toBeGreaterThanOrEqual(20);
    expect(stopped.samples).toBeLessThan(36);
    expect(stopped.lines).toHaveLength(stopped.samples);
    await expect(fs.access(join(stopped.folder, "report.json"))).rejects.toThrow();
    // As a kill leaves it: in the middle of a line.
    await fs.appendFile(join(stopped.folder, "samples.jsonl"), '{"model":"mo');
    const progress: number[] = [];
    const resumed = await evaluate(values, { folder: stopped.folder, onProgress: (done) => void progress.push(done) });
    expect(resumed).toMatchObject({ finished: true, resumed: stopped.samples, samples: 36 });
    expect(progress[0]).toBe(stopped.samples);
    expect(await bytes(resumed)).toEqual(await bytes(whole));
    // Nothing is asked a second time: the model is not even opened.
    await fs.rename(join(root, "model"), join(root, "gone"));
    const again = await evaluate(values, { folder: stopped.folder });
    await fs.rename(join(root, "gone"), join(root, "model"));
    expect(again).toMatchObject({ finished: true, resumed: 36 });
    expect(await bytes(again)).toEqual(await bytes(whole));
  });

  test("cut anywhere, it comes out the same", async () => {
    const whole = await evaluate(values);
    const [samples = ""] = await bytes(whole);
    for (const share of [0, 0.01, 0.34, 0.5, 0.99]) {
      const folder = join(root, `cut${share}`);
      await fs.mkdir(folder);
      await fs.copyFile(join(whole.folder, "eval.json"), join(folder, "eval.json"));
      // Lines in another order, as they come when answers end at different times.
      const lines = samples.split("\n").slice(0, -1).reverse().join("\n");
      await fs.writeFile(join(folder, "samples.jsonl"), lines.slice(0, Math.floor(share * lines.length)));
      expect(await bytes(await evaluate(values, { folder }))).toEqual(await bytes(whole));
    }
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["another K", { numGenerations: 4 }, /was begun with num_generations 3, and this call has 4; give/],
    ["another seed", { seed: 6 }, /was begun with seed 5, and this call has 6/],
    ["other rows", { evalSamples: 5 }, /was begun with eval_samples 6, and this call has 5/],
  ])("is not gone on with %s", async (name, change, message) => {
    const folder = join(root, `refused ${name}`);
    await evaluate(values, { folder });
    await expect(evaluate({ ...values, ...change }, { folder })).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(message),
    });
    expect(await evaluate({ ...values, concurrency: 2 }, { folder })).toMatchObject({ resumed: 36 });
  });

  test("nor with a file of other content, nor in a folder of something else, nor over a broken line", async () => {
    const dataset = join(root, "changing.jsonl");
    await fs.writeFile(dataset, `${JSON.stringify({ prompt: "1", answer: "2" })}\n`);
    const { folder } = await evaluate({ dataset });
    await fs.writeFile(dataset, `${JSON.stringify({ prompt: "1", answer: "3" })}\n`);
    await expect(evaluate({ dataset }, { folder })).rejects.toThrow(/was begun with benchmark changing "1 rows, hash/);
    await expect(evaluate({}, { folder: root })).rejects.toThrow(/holds files of something else/);
    const broken = await evaluate({ evalSamples: 2 });
    await fs.writeFile(join(broken.folder, "samples.jsonl"), '{"model": 1}\n');
    await expect(evaluate({ evalSamples: 2 }, { folder: broken.folder })).rejects.toThrow(
      /samples\.jsonl, line 1: is no sample/,
    );
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
  const samples: Transcript[] = [];
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
