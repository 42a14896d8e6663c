/** One prompt that is too long, in a data set of which it is drawn late. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepare, QUESTIONS, tinyRun } from "./tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-long-"));
  await prepare(root);
  const long = JSON.stringify({ prompt: "1+1+1+1+1+1+1+1+1+1", answer: "2" });
  await fs.writeFile(join(root, "long.jsonl"), `${QUESTIONS}${long}\n`);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const dataset = () => join(root, "long.jsonl");

test("is refused before the first step", async () => {
  const phases: string[] = [];
  const events = { onPhase: (phase: string) => void phases.push(phase) };
  await expect(tinyRun(root, "refused", { values: { dataset: dataset(), maxSteps: 5 }, events })).rejects.toMatchObject(
    {
      name: "UserError",
      message: expect.stringMatching(/a prompt has \d+ tokens, --max-prompt-length allows 16: .*1\+1\+1/),
    },
  );
  expect(new Set(phases)).toEqual(new Set(["setup"]));
});
