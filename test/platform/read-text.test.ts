/** Text files that a user names. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodeTrainingHost } from "../../src/platform/node/training-host";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-text-"));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const { readText } = nodeTrainingHost(() => {});

test("a byte-order mark is no part of the text", async () => {
  await fs.writeFile(join(root, "marked.jsonl"), "\ufeffé\n");
  expect(await readText(join(root, "marked.jsonl"))).toBe("é\n");
});

test("what cannot be read is named with the reason", async () => {
  await fs.writeFile(join(root, "latin.jsonl"), Uint8Array.of(0x63, 0xe9, 0x0a));
  const message = (text: RegExp) => ({ name: "UserError", message: expect.stringMatching(text) });
  await expect(readText(join(root, "latin.jsonl"))).rejects.toMatchObject(message(/latin\.jsonl: not UTF-8 text/));
  await expect(readText(root)).rejects.toMatchObject(message(/: is a folder; expected a file/));
  await expect(readText(join(root, "none"))).rejects.toMatchObject(message(/none: no such file; expected a file/));
});
