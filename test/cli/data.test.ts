import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCli } from "../../src/cli/program";
import { openDataset, placeOf } from "../../src/platform/node/datasets";
import { Capture, testIo } from "./support";

vi.mock("../../src/platform/node/datasets", { spy: true });

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-data-"));
});
afterEach(() => fs.rm(root, { recursive: true, force: true }));

async function run(argv: string[]) {
  const io = testIo();
  const code = await runCli(["data", ...argv], io);
  return { code, out: io.stdout.text, err: io.stderr.text };
}

async function write(name: string, prompts: readonly string[]): Promise<string> {
  const path = join(root, name);
  await fs.writeFile(path, prompts.map((prompt, i) => `${JSON.stringify({ prompt, answer: i, level: 3 })}\n`).join(""));
  return path;
}

const LONG = "one two three four five six seven eight nine ten eleven twelve thirteen";

describe("data check", () => {
  it("ends with 1 and shows what is in common", async () => {
    const train = await write("train.jsonl", ["What is 2+2?", "what is $2+2$", `${LONG} a`]);
    const clean = await write("clean.jsonl", ["Another?"]);
    const dirty = await write("dirty.jsonl", ["WHAT IS 2 + 2", `${LONG} b`, "Another?"]);
    const { code, out } = await run(["check", "--train", train, "--eval", `${clean}, ${dirty}`]);
    expect(code).toBe(1);
    expect(out).toContain("3 rows, 1 of them repeat a problem");
    expect(out).toMatch(/evaluation set\s+problems\s+equal\s+13 words alike/);
    expect(out).toMatch(/clean\.jsonl\s+1\s+0\s+0\n/);
    expect(out).toMatch(/dirty\.jsonl\s+3\s+1\s+1\n/);
    expect(out).toContain("dirty.jsonl, equal: WHAT IS 2 + 2");
    expect(out).toMatch(/contaminated: .*shows the model problems of [^,]*dirty\.jsonl\n$/);
    const json = await run(["check", "--train", train, "--eval", dirty, "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      event: "data_check",
      rows: 3,
      repeated: 1,
      ngramWords: 13,
      contaminated: true,
      evaluations: [{ name: dirty, problems: 3, equal: 1, partial: 1 }],
    });
  });

  it("ends with 0 when there is nothing, or only what was not looked for", async () => {
    const train = await write("train.jsonl", [`${LONG} a`]);
    const evaluation = await write("eval.jsonl", [`${LONG} b`]);
    expect((await run(["check", "--train", train, "--eval", evaluation])).code).toBe(1);
    const equalOnly = await run(["check", "--train", train, "--eval", evaluation, "--ngram-words", "0"]);
    expect(equalOnly).toMatchObject({ code: 0, out: expect.stringMatching(/nothing in common\n$/) });
    expect((await run(["check", "--train", train, "--eval", evaluation, "--ngram-words", "14"])).code).toBe(0);
  });

  it.each<[string[], RegExp]>([
    [["check", "--train", "gsm8k"], /^error: required option '--eval <datasets>' not specified/],
    [["check", "--train", "/none.jsonl", "--eval", "x"], /^error: \/none\.jsonl: no such file/],
    [["check", "--train", "x", "--eval", "y", "--ngram-words", "1.5"], /Expected a whole number of at least 0/],
    [["show", "x.jsonl", "--rows", "0"], /Expected a whole number of at least 1/],
    [["show", "math5000"], /the nearest name is math500/],
  ])("%j is a mistake in one line", async (argv, message) => {
    const { code, err, out } = await run(argv);
    expect({ code, out, lines: err.split("\n").length }).toEqual({ code: 2, out: "", lines: 2 });
    expect(err).toMatch(message);
  });
});

describe("data show", () => {
  it("prints rows as a run sees them, and nothing that a terminal would obey", async () => {
    const path = await write("a.jsonl", ["first \u001b[2J", "second", "third"]);
    const { code, out } = await run(["show", path, "--rows", "2"]);
    expect(code).toBe(0);
    expect(out).toMatch(/a\.jsonl: 3 rows of .*a\.jsonl\n\nfirst .*\nanswer {2}0\ncolumns level\n\nsecond\n/);
    expect(out).not.toContain("third");
    expect(out).not.toContain("\u001b");
    const json = await run(["show", path, "--rows", "1", "--json"]);
    expect(JSON.parse(json.out)).toEqual({ prompt: "first \u001b[2J", answer: "0", columns: { level: 3 } });
  });

  it("shows a download's progress on a terminal", async () => {
    const io = { ...testIo(), stderr: new Capture(true) };
    vi.mocked(openDataset).mockImplementationOnce(async ({ dataset }, _, onProgress) => {
      onProgress?.("train.parquet", 1_500_000, 2_300_000);
      return { name: dataset, split: "train", files: ["x"], rows: [{ prompt: "q", answer: "1", columns: {} }] };
    });
    const code = await runCli(["data", "show", "gsm8k"], io);
    expect(code).toBe(0);
    expect(io.stderr.text).toContain("fetching train.parquet: 1.5 of 2.3 MB");
  });
});

it("data list names every set with the place of its splits", async () => {
  vi.mocked(placeOf).mockImplementation(({ localFiles }) =>
    localFiles.includes("gsm8k-train.jsonl")
      ? { kind: "local", files: ["/data/gsm8k-train.jsonl"] }
      : { kind: "hub", files: ["openai/gsm8k"] },
  );
  const { code, out } = await run(["list"]);
  expect(code).toBe(0);
  expect(out).toMatch(
    /gsm8k {2}.*\n.*MIT\n.*train: \/data\/gsm8k-train\.jsonl\n.*test: not here; is fetched from openai\/gsm8k\n/,
  );
  const json = (await run(["list", "--json"])).out.trim().split("\n");
  const names = json.map((line) => JSON.parse(line).name);
  expect(names).toEqual(expect.arrayContaining(["nano", "orz-57k", "torl", "simplerl-easy", "hmmt25"]));
});

describe("data dag", () => {
  it("prints rows, or writes them and says what they are", async () => {
    const printed = await run(["dag", "--count", "3", "--operations", "2", "--seed", "4"]);
    const rows = printed.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows.map(({ operations, kind }) => [operations, kind])).toEqual(new Array(3).fill([2, "plain"]));
    const path = join(root, "dag.jsonl");
    const argv = ["dag", "--count", "40", "--augment", "exploration:0.5,exploitation:0.5", "--output", path];
    const { code, out } = await run(argv);
    expect(code).toBe(0);
    expect(out).toMatch(/dag\.jsonl: 40 rows \(0 plain, \d+ exploration, \d+ exploitation\); a prompt has \d/);
    const written = (await fs.readFile(path, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const json = JSON.parse((await run([...argv, "--json"])).out);
    expect(json).toMatchObject({ event: "data_dag", rows: 40, output: path });
    expect(json.kinds.exploration).toBe(written.filter(({ kind }) => kind === "exploration").length);
    expect(json.longestRow).toBe(
      Math.max(...written.map(({ prompt, completion }) => prompt.length + completion.length)),
    );
    const heldOut = await run(["dag", "--count", "40", "--dataset-split", "eval"]);
    expect(written.map(({ prompt }) => prompt)).not.toContain(JSON.parse(heldOut.out.split("\n")[0] ?? "").prompt);
  });

  it.each<[string[], RegExp]>([
    [["--operations", "4-2"], /Expected 3 or 2-4, with whole numbers from 1 to 12/],
    [["--operations", "0"], /Expected 3 or 2-4/],
    [["--augment", "exploration:0.7,exploitation:0.4"], /The shares are more than 1 together/],
    [["--augment", "plain:0.5"], /Expected exploration:0\.3,exploitation:0\.3/],
    [["--augment", "exploration"], /Expected exploration:0\.3/],
    [["--count", "0"], /Expected a whole number from 1 to 1000000/],
    [["--count", "1", "--output", "/none/a.jsonl"], /^error: --output \/none\/a\.jsonl: /],
  ])("%j is a mistake in one line", async (argv, message) => {
    const { code, err, out } = await run(["dag", ...argv]);
    expect({ code, out, lines: err.split("\n").length }).toEqual({ code: 2, out: "", lines: 2 });
    expect(err).toMatch(message);
  });
});
