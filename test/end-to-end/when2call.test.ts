/** `eval --bench when2call` as it is installed: a random model, two rows that fit and one that does not. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TINY, writeTinyModel } from "../train/tiny-run";
import { jsonLines, zerotir } from "./command-line";

const rows = [
  { id: "a", problem: "1+1", answer: "tool_call", tools: ['{"name":"f"}'] },
  { id: "b", problem: "2+2", answer: "cannot_answer", tools: [] },
  { id: "long", problem: "1".repeat(TINY.maxPositions), answer: "direct", tools: [] },
].map((row) => ({
  ...row,
  answers: { direct: "2", tool_call: "print(1)", request_for_info: "1+1+1", cannot_answer: "3" },
}));

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-when2call-"));
  await writeTinyModel(join(root, "model"));
  await fs.writeFile(join(root, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await fs.writeFile(join(root, "long.jsonl"), `${JSON.stringify(rows[2])}\n`);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const runOn = (model: string, ...argv: string[]) =>
  zerotir(["eval", "--bench", "when2call", "--model-name-or-path", model, ...argv], { cwd: root });
const run = (...argv: string[]) => runOn("model", ...argv);

test("figures, items and report; a row that does not fit is counted, not scored", async () => {
  const { code, stdout, stderr } = await run("--dataset", "rows.jsonl", "--json", "--output-dir", "out");
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const [report, ...rest] = jsonLines(stdout);
  expect(rest).toEqual([]);
  expect(report).toMatchObject({ event: "eval", bench: "when2call", rows: 3, skipped: 1, finished: true });
  expect(report).toMatchObject({ prompt: "plain text", figures: { questions: 2 } });

  const items = jsonLines(await fs.readFile(join(root, "out/when2call.jsonl"), "utf8"));
  expect(items.map(({ id, gold }) => [id, gold])).toEqual([
    ["a", "tool_call"],
    ["b", "cannot_answer"],
  ]);
  // The figures are those of the items.
  const right = items.filter((item) => item.gold === item.chosen).length;
  expect(report?.figures).toMatchObject({ accuracy: right / 2 });
  for (const item of items) {
    const scores = Object.entries({ ...(item.log_likelihood as Record<string, number>) });
    expect(scores.every(([, score]) => score < 0)).toBe(true);
    expect(scores.toSorted(([, a], [, b]) => b - a)[0]?.[0]).toBe(item.chosen);
  }
  const written: unknown = JSON.parse(await fs.readFile(join(root, "out/when2call.json"), "utf8"));
  expect(report).toMatchObject(written as object);
});

test("the table stays below 80 columns and says what was left out", async () => {
  const { code, stdout } = await run("rows.jsonl");
  expect(code).toBe(0);
  expect(stdout).toMatch(/macro-F1 +tool hallucination\n/);
  expect(stdout).toContain("Left out: 1 of 3 rows");
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThan(80);
});

test("--eval-samples takes rows from the start", async () => {
  const { stdout } = await run("rows.jsonl", "--eval-samples", "1", "--json");
  expect(jsonLines(stdout)[0]).toMatchObject({ rows: 1, skipped: 0, figures: { questions: 1 } });
});

test.each<[string[], RegExp]>([
  [["long.jsonl"], /the model has 64 positions, and the shortest of 1 rows of long.jsonl needs \d+; choose/],
  [["rows.jsonl", "long.jsonl"], /takes one file/],
  [["none.jsonl"], /none.jsonl: no such file/],
  [["rows.jsonl", "--num-generations", "4"], /draws no samples/],
  [["rows.jsonl", "--endpoint", "http://127.0.0.1:9", "--endpoint-model", "m"], /needs the log-probs of given texts/],
])("%j: one sentence", async (argv, message) => {
  const { code, stderr } = await run(...argv);
  expect(stderr).toMatch(message);
  expect({ code, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 2, lines: 1 });
});

test("a model without a tokenizer", async () => {
  await fs.cp(join(root, "model"), join(root, "bare"), { recursive: true });
  await fs.rm(join(root, "bare/tokenizer.json"));
  const { code, stderr } = await runOn("bare", "rows.jsonl");
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/bare: has no tokenizer.json, which turning text/),
  });
});
