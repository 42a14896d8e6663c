import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCli } from "../../src/cli/program";
import { testIo } from "./support";

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-stats-"));
});
afterEach(() => fs.rm(root, { recursive: true, force: true }));

async function stats(...argv: string[]) {
  const io = testIo();
  const code = await runCli(["stats", ...argv], io);
  return { code, out: io.stdout.text, err: io.stderr.text };
}

async function write(name: string, steps: number, accuracy: (step: number) => number) {
  const file = join(root, name);
  const rows = Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    "train/code_rewards": (i + 1) / steps,
    "train/rule_rewards": accuracy(i + 1),
  }));
  await fs.writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return file;
}

it("prints tables and JSON, and writes the same figures again", async () => {
  const file = await write("metrics.jsonl", 30, (step) => 0.5 + 0.4 * Math.sin(step / 9));
  const plain = await stats(root);
  expect([plain.code, plain.out.includes("Spearman rho")]).toEqual([0, true]);
  const json = await stats(file, "--json", "--svg", join(root, "one"));
  expect(JSON.parse(json.out.split("\n")[0] ?? "")).toMatchObject({ event: "stats", n: 30, against: "step" });
  await stats(file, "--svg", join(root, "two"));
  for (const name of ["scatter.svg", "trajectories.svg"]) {
    const svg = await fs.readFile(join(root, "one", name), "utf8");
    expect(svg).not.toContain("NaN");
    expect(await fs.readFile(join(root, "two", name), "utf8")).toBe(svg);
  }
});

it("says in one sentence what is wrong", async () => {
  expect(await stats(join(root, "nowhere"))).toMatchObject({ code: 2, err: expect.stringContaining("no such folder") });
  expect(await stats(root)).toMatchObject({ code: 2, err: expect.stringContaining("has no metrics.jsonl") });
  const short = await write("short.jsonl", 2, () => 0.5);
  expect(await stats(short)).toMatchObject({ code: 2, err: expect.stringContaining("needs at least 3") });
  expect(await stats(short, "--x", "cod")).toMatchObject({ code: 2, err: expect.stringContaining("no series cod") });
  const constant = await stats(await write("constant.jsonl", 20, () => 0.5));
  expect(constant).toMatchObject({ code: 0, out: expect.stringContaining("so no correlation is defined") });
});

it("names every run and fit of a figure of several runs, escaped, over another column", async () => {
  const runs: string[] = [];
  for (const [i, name] of ["one", "two <b>&amp;", `a-long-name-${"x".repeat(80)}`].entries()) {
    await fs.mkdir(join(root, name));
    runs.push(join(root, name));
    const rows = Array.from({ length: 40 }, (_, step) => ({
      step: step + 1,
      num_tokens: 1000 * (step + 1),
      "train/code_rewards": 0.9 / (1 + Math.exp(-(step - 15 - i) / 4)) + 0.01 * Math.sin(7 * step),
      "train/rule_rewards": 0.8 / (1 + Math.exp(-(step - 20 - i) / 4)) + 0.01 * Math.cos(5 * step),
    }));
    await fs.writeFile(join(root, name, "metrics.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  }
  const { code, out } = await stats(
    ...runs,
    "--against",
    "num_tokens",
    "--svg",
    join(root, "svg"),
    "--png",
    join(root, "png"),
  );
  const png = await fs.readFile(join(root, "png", "scatter.png"));
  expect([png.toString("latin1", 1, 4), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(["PNG", 1520, 1120]);
  expect([code, out.includes("side by side")]).toEqual([0, true]);
  const texts = async (name: string) =>
    [...(await fs.readFile(join(root, "svg", name), "utf8")).matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(
      ([, text]) => text ?? "",
    );
  const trajectories = await texts("trajectories.svg");
  expect(trajectories).toEqual(expect.arrayContaining(["one", "two &lt;b&gt;&amp;amp;", "its fit", "tokens", "40k"]));
  expect(trajectories.filter((text) => /^logistic fit, R² (?:0\.9|1\.0)/.test(text))).toHaveLength(6);
  const scatter = await texts("scatter.svg");
  expect(scatter[0]).toBe("3 runs");
  expect([...scatter, ...trajectories].filter((text) => text.includes("x".repeat(60)))).toEqual([]);
});

it("says what a file without metrics is", async () => {
  const cases = [
    ["", "has not ended a step yet"],
    ['{"prompt":"1+1","answer":"2"}\n', "JSON without a step; the first one has prompt, answer"],
    ["[\n1,\n2]\n", "one JSON list"],
    ["seed: 7\n", "its first line is no JSON: seed: 7"],
    ["\0\0asm", "the file is no text"],
  ] as const;
  for (const [text, words] of cases) {
    const file = join(root, "other");
    await fs.writeFile(file, text);
    expect(await stats(file)).toMatchObject({ code: 2, err: expect.stringContaining(words) });
  }
});
