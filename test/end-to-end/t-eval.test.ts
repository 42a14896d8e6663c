/** `eval --bench teval` as it is installed, over a folder with two of the files. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeTinyModel } from "../train/tiny-run";
import { jsonLines, zerotir } from "./command-line";

const plan = [{ id: 0, name: "Air.find", args: { place: "Berlin" } }];
const review = (answer: string) => ({
  origin_prompt: [{ role: "user", content: "1+1" }],
  template: "",
  meta_data: { response_format: "str" },
  ground_truth: { answer },
});
const predictions = [
  { set: "plan_json", id: "p", prediction: JSON.stringify(plan) },
  { set: "review_str", id: "1", prediction: "Answer: B" },
  { set: "review_str", id: "2", prediction: "Answer: C" },
];

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-teval-"));
  await fs.mkdir(join(root, "data"));
  const write = (name: string, value: unknown) => fs.writeFile(join(root, name), JSON.stringify(value));
  await write("data/plan_json_v2.json", { p: { meta: { prompt_type: "json" }, ground_truth: plan } });
  await fs.mkdir(join(root, "reviews"));
  await write("reviews/review_str_v2.json", { "1": review("B") });
  await write("data/review_str_v2.json", { "1": review("B"), "2": review("A"), "3": review("A") });
  for (const model of ["bare", "chat"]) await writeTinyModel(join(root, model));
  await fs.writeFile(join(root, "chat/chat_template.jinja"), "{{ messages[0].content }}\nAssistant:");
  await fs.writeFile(join(root, "answers.jsonl"), predictions.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await fs.writeFile(join(root, "strange.jsonl"), JSON.stringify({ ...predictions[1], id: "9" }));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const run = (...argv: string[]) => zerotir(["eval", "--bench", "teval", ...argv], { cwd: root });

test("scores of a predictions file; what was written can be scored again", async () => {
  const first = await run("--teval-dir", "data", "--predictions", "answers.jsonl", "--json", "--output-dir", "out");
  expect(first).toMatchObject({ code: 0 });
  const [report] = jsonLines(first.stdout);
  expect(report).toMatchObject({ event: "eval", bench: "teval", rows: 4, skipped: 1, comparable: false });
  expect(report?.figures).toMatchObject({ overall: null });
  expect(report?.figures).toHaveProperty("abilities.1.json", 1);
  expect(report?.figures).toHaveProperty("abilities.5.score", 0.5);
  const again = await run("--teval-dir", "data", "--predictions", "out/teval.jsonl", "--json");
  expect(jsonLines(again.stdout)[0]?.figures).toEqual(report?.figures);
});

test("a model answers greedily through its chat template", async () => {
  const settings = ["--max-completion-length", "8", "--eval-samples", "1", "--json", "--output-dir", "made"];
  const made = await run("--teval-dir", "reviews", "--model-name-or-path", "chat", ...settings);
  expect({ code: made.code, stderr: made.stderr }).toMatchObject({ code: 0 });
  const [report] = jsonLines(made.stdout);
  expect(report).toMatchObject({ bench: "teval", model: "chat", rows: 1, skipped: 0 });
  const lines = jsonLines(await fs.readFile(join(root, "made/predictions.jsonl"), "utf8"));
  expect(lines).toEqual([{ set: "review_str", id: "1", prediction: expect.stringMatching(/^\\boxed\{|^\n```/) }]);
  const again = await run("--teval-dir", "reviews", "--predictions", "made/predictions.jsonl", "--json");
  expect(jsonLines(again.stdout)[0]?.figures).toEqual(report?.figures);
});

test("the table says what is not comparable, below 80 columns", async () => {
  const { code, stdout } = await run("--teval-dir", "data", "--predictions", "answers.jsonl");
  expect(code).toBe(0);
  expect(stdout).toMatch(/plan +100.0% .* not comparable\n/);
  expect(stdout).toMatch(/overall .* not comparable\n/);
  expect(stdout).not.toMatch(/review .* not comparable\n/);
  expect(stdout).toContain("1 without a prediction were left out");
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThan(80);
});

test.each<[string[], RegExp]>([
  [[], /needs --teval-dir/],
  [["--teval-dir", "absent"], /absent: no such folder, or no file of T-Eval/],
  [["--teval-dir", "data"], /no sample of data has a prediction/],
  [["--teval-dir", "data", "--predictions", "strange.jsonl"], /review_str\/9 is no sample/],
  [["--teval-dir", "data", "--model-name-or-path", "bare"], /bare: the model has no chat template/],
  [["--teval-dir", "data", "--model-name-or-path", "chat"], /plan_json_v2.json, p: has no origin_prompt/],
  [
    ["--teval-dir", "reviews", "--model-name-or-path", "chat"],
    /64 positions, of which --max-completion-length takes 512/,
  ],
])("%j: one sentence", async (argv, message) => {
  const { code, stderr } = await run(...argv);
  expect(stderr).toMatch(message);
  expect({ code, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 2, lines: 1 });
});
