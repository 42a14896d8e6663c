import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "../../src/cli/program";
import { testIo } from "./support";

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-tokenize-"));
});
afterEach(() => fs.rm(root, { recursive: true, force: true }));

/** Ids 4 and 5 are the characters 0 and 1. */
async function tokenize(...argv: string[]) {
  await fs.writeFile(join(root, "tokenizer_config.json"), '{"char_ords":[48,49]}');
  const io = testIo();
  const code = await runCli(["tokenize", "--model", root, ...argv], io);
  return { code, out: io.stdout.text, err: io.stderr.text };
}

async function rowsFile(text: string): Promise<string> {
  const file = join(root, "rows.jsonl");
  await fs.writeFile(file, text);
  return file;
}

test("texts become ids and ids texts, in the order of the file", async () => {
  const file = await rowsFile('{"id":"b","text":"10E"}\n\n{"id":7,"text":""}\n');
  expect(await tokenize("--in", file, "--json")).toMatchObject({
    code: 0,
    out: '{"id":"b","ids":[5,4,1]}\n{"id":7,"ids":[]}\n',
  });
  const ids = await rowsFile('{"id":"b","ids":[5,4,1]}\n{"id":7,"ids":[]}\n');
  expect(await tokenize("--decode", "--in", ids, "--json")).toMatchObject({
    code: 0,
    out: '{"id":"b","text":"10E"}\n{"id":7,"text":""}\n',
  });
});

test("arguments are shown with each token's text", async () => {
  expect((await tokenize("01")).out).toBe('2 tokens: 4 "0"  5 "1"\n');
  expect((await tokenize("--decode", "[5, 4]")).out).toBe("10\n");
});

test.each([
  ['{"id":1}', "line 1: text is missing"],
  ['{"text":"x"}', "line 1: id is missing"],
  ['{"id":1,"text":"x"}\nnope', "line 2: not JSON"],
  ["[1]", "line 1: not a JSON object; expected {id, text} on each line"],
  ["", "holds no row; expected {id, text} on each line"],
])("%j is refused, with the place", async (text, message) => {
  const { code, out, err } = await tokenize("--in", await rowsFile(text));
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(err).toContain(message);
});

test("mistakes in arguments are refused", async () => {
  expect((await tokenize()).err).toContain("one of the two");
  expect((await tokenize("x", "--in", "y")).err).toContain("one of the two");
  expect((await tokenize("--decode", "[6]")).err).toContain("6 is no token id; this tokenizer has 0 to 5");
  expect((await tokenize("--decode", "x")).err).toContain("no list of ids");
  expect((await tokenize("--in", join(root, "none"))).err).toContain("no such file");
});
