import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/program";
import { testIo } from "./support";

const folder = mkdtempSync(join(tmpdir(), "zerotir-grade-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function grade(...argv: string[]) {
  const io = testIo();
  const code = await runCli(["grade", ...argv], io);
  return { code, out: io.stdout.text, err: io.stderr.text };
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const rows = file(
  "rows.jsonl",
  '\ufeff{"id":"b","prediction":"so \\\\boxed{\\\\frac{2}{4}}","gold":"1/2"}\n\n{"id":1,"prediction":"\\\\boxed{7","gold":"7","verdict":true}\n{"id":"c","prediction":"3","gold":["2","3"]}\n',
);

describe("zerotir grade", () => {
  it("gives one verdict per row, in order", async () => {
    const out = join(folder, "out.jsonl");
    const { code, out: printed } = await grade("--in", rows, "--json", "--out", out);
    expect(code).toBe(0);
    expect(
      printed
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { id: "b", verdict: true, extracted: "\\frac{2}{4}" },
      { id: 1, verdict: false, extracted: null },
      { id: "c", verdict: true, extracted: "3" },
    ]);
    expect(readFileSync(out, "utf8")).toBe(printed);
  });

  it("sums up in a table", async () => {
    const { out } = await grade("--in", rows);
    expect(out).toContain("3 rows: 2 right, 1 wrong, 1 of them without an answer");
    expect(out).toContain("0 of 1 agree");
  });

  it("judges one pair, by a profile", async () => {
    expect((await grade("--prediction", "\\boxed{7", "--gold", "7")).out).toBe("wrong: no answer found (gold 7)\n");
    expect((await grade("--prediction", "\\boxed{7", "--gold", "7", "--profile", "qwen")).out).toBe(
      "right: 7 (gold 7)\n",
    );
    expect((await grade("--prediction", "0.33", "--gold", "1/3")).out).toMatch(/^wrong/);
    expect((await grade("--prediction", "0.333", "--gold", "1/3", "--rounded-places", "3")).out).toMatch(/^right/);
  });

  it.each([
    [
      ["--in", file("bad.jsonl", '{"id":1,"prediction":"1","gold":"1"}\nnope\n')],
      /bad\.jsonl, line 2: not JSON; expected \{id, prediction, gold\} on each line/,
    ],
    [["--in", file("list.jsonl", "[1]\n")], /list\.jsonl, line 1: not a JSON object/],
    [
      ["--in", file("gold.jsonl", '{"id":1,"prediction":"1"}\n')],
      /gold\.jsonl, line 1: gold is missing; expected a string/,
    ],
    [
      ["--in", file("number.jsonl", '{"id":1,"prediction":4,"gold":"1"}\n')],
      /line 1: prediction is 4; expected a string/,
    ],
    [["--in", file("empty.jsonl", "\n")], /empty\.jsonl: holds no row/],
    [
      ["--in", join(folder, "none.jsonl")],
      /none\.jsonl: no such file; expected JSON lines of \{id, prediction, gold\}/,
    ],
    [["--prediction", "1"], /--gold is missing/],
    [[], /needs either --in/],
    [["--prediction", "1", "--gold", "1", "--profile", "maths"], /profile/],
    [["--prediction", "1", "--gold", "1", "--rounded-places", "x"], /rounded-places/],
  ])("refuses %j", async (argv, message) => {
    const { code, err } = await grade(...argv);
    expect(err).toMatch(message);
    expect(err).not.toContain("    at ");
    expect(code).toBe(2);
  });
});
