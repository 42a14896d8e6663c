import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCli } from "../../src/cli/program";
import { testIo, testRunners } from "./support";

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-stats-"));
});
afterEach(() => fs.rm(root, { recursive: true, force: true }));

async function stats(...argv: string[]) {
  const io = testIo();
  const code = await runCli(["stats", ...argv], io, testRunners({}));
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
