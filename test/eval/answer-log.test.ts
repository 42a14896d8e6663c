import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AnswerLog } from "../../src/eval/answer-log";
import { type Answer, type AnswerKey, answerLine } from "../../src/eval/answers";
import { MemoryRunFiles } from "../../src/platform/browser/memory-files";
import { nodeRunFiles } from "../../src/platform/node/run-files";
import { gradeTrajectory } from "../../src/reward/grade";
import type { RunFiles } from "../../src/session/run-folder";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-samples-"));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const key = (question: number): AnswerKey => ({ model: "m", benchmark: "b", maxToolCalls: 1, question, sample: 0 });
const text = "über \\boxed{2} \u2028 \ud83d\ude00";
const answer: Answer = {
  segments: [{ kind: "text", text }],
  tools: [],
  finishReason: "stop",
  modelTokens: 3,
  ...gradeTrajectory({
    modelText: text,
    fullText: text,
    gold: "2",
    executions: 0,
    executionErrors: 0,
    lastExecutionFailed: false,
    finishReason: "stop",
    modelTokens: 3,
    totalTokens: 3,
  }),
};
const line = (question: number) => answerLine(key(question), "prompt", "2", answer);

describe.each<[string, () => RunFiles]>([
  ["on disk", () => nodeRunFiles(join(root, "disk"))],
  ["in memory", () => new MemoryRunFiles("memory")],
])("samples %s", (_, open) => {
  test("come back in any order, with flushes in between, and end in the order asked for", async () => {
    const files = open();
    const log = await AnswerLog.open(files);
    await log.flush();
    for (const question of [3, 1, 2]) {
      log.add(key(question), line(question));
      await log.flush();
      await log.flush();
    }
    log.add(key(0), line(0));
    log.add(key(4), line(4));
    await log.flush();
    expect(await files.read("samples.jsonl")).toBe([3, 1, 2, 0, 4].map((q) => `${line(q)}\n`).join(""));

    const again = await AnswerLog.open(files);
    expect(again.count).toBe(5);
    expect(again.outcome(key(2))).toEqual(log.outcome(key(2)));
    expect(again.outcome(key(5))).toBeUndefined();
    // What is left out of the order, as samples of a smaller evaluation, goes.
    await again.arrange([0, 1, 2, 3].map(key));
    expect(await files.read("samples.jsonl")).toBe([0, 1, 2, 3].map((q) => `${line(q)}\n`).join(""));
  });
});

test("a write that fails is told by flush, each time", async () => {
  const files = new MemoryRunFiles("full");
  files.append = async () => {
    throw new Error("the disk is full");
  };
  const log = await AnswerLog.open(files);
  log.add(key(0), line(0));
  await expect(log.flush()).rejects.toThrow(/the disk is full/);
  log.add(key(1), line(1));
  await expect(log.flush()).rejects.toThrow(/the disk is full/);
});
