import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { nodeRewardPool } from "../../src/platform/node/reward-pool";
import type { GradeJob, GradeResult } from "../../src/reward/grade";
import type { RewardPool } from "../../src/reward/pool";
import { selectRewards } from "../../src/reward/selection";
import { jobOf } from "./job";

const folder = mkdtempSync(join(tmpdir(), "zerotir-custom-"));
const opened: RewardPool[] = [];
afterAll(async () => {
  await Promise.all(opened.map((pool) => pool.close()));
  rmSync(folder, { recursive: true });
});

/** Grades three completions by accuracy and a function of a file. */
async function grade(name: string, source: string, { weight = 1, exported = "", timeoutMs = 10_000 } = {}) {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, source);
  const { builtIn, custom } = selectRewards(["accuracy", `${file}${exported}`], [1, weight]);
  const pool = await nodeRewardPool({ builtIn: { functions: builtIn }, custom, timeoutMs });
  opened.push(pool);
  const group = async (texts: readonly string[]): Promise<readonly GradeResult[]> => {
    const jobs: GradeJob[] = texts.map((text) => jobOf(text, { modelTokens: text.length }));
    const grades = await Promise.all(jobs.map((job) => pool.grade(job)));
    const columns = { answer: "7", level: 3, tags: ["a", "b"], prompts: "not ours" };
    return (await pool.gradeGroup?.({ prompt: "Question: 3+4", columns, jobs, grades })) ?? [];
  };
  const first = await group(["\\boxed{7}", "none", "\\boxed{8}"]);
  return { first, group, rewards: first.map(({ numbers }) => numbers.reward) };
}

describe("a custom reward function", () => {
  it("gets prompts, completions, facts and all columns as lists of the group's length", async () => {
    const source = `export default (batch) => batch.completions.map((text, i) =>
      batch.prompts[i] === "Question: 3+4" && batch.answer[i] === "7" && batch.level[i] === 3 && batch.tags[i][1] === "b"
      && batch.trajectories[i].modelTokens === text.length && batch.trajectories[i].finishReason === "stop"
      && !("gold" in batch.trajectories[i]) ? text.length : -1000);`;
    const { first, rewards } = await grade("shape", source, { weight: 0.5 });
    expect(rewards).toEqual([1 + 4.5, 2, 4.5]);
    expect(first[0]?.rewards).toEqual({ accuracy: 1, shape: 9 });
    expect(first[0]?.numbers).toMatchObject({ rule_rewards: 1, verifier_failed: 0 });
  });

  it("may be async, and null leaves it out", async () => {
    const source = `export async function late({ completions }) {
      await new Promise((go) => setTimeout(go, 20));
      return completions.map((text) => (text === "none" ? null : 2)); }`;
    const { first, rewards } = await grade("async", source, { exported: ":late" });
    expect(rewards).toEqual([3, 0, 2]);
    expect(first.map((each) => each.rewards.late)).toEqual([2, null, 2]);
  });

  it.each([
    [
      "short",
      "export default () => [1, 2];",
      /short\.mjs: returned 2 values for the prompt "Question: 3\+4", expected 3/,
    ],
    [
      "nan",
      "export default () => [1, NaN, 2];",
      /nan\.mjs: returned NaN for completion 2 of 3 for the prompt "Question/,
    ],
    ["text", "export default () => [1, 2, '3'];", /returned "3" for completion 3 of 3/],
    ["nothing", "export default () => {};", /nothing\.mjs: returned undefined .*expected a list of 3 numbers or nulls/],
    [
      "throws",
      "export default ({ completions }) =>\n  completions.map((text) => text.missing.length);",
      /throws\.mjs: threw TypeError: Cannot read .* \(line 2 of throws\.mjs\) for the prompt/,
    ],
    ["lines", "export default () => { throw new Error('one\\n  two'); };", /lines\.mjs: threw Error: one two \(line 1/],
    [
      "extra",
      "export default (batch, { logExtra }) => logExtra('n', [1, 2n, 3]);",
      /logExtra "n" holds a value that JSON cannot/,
    ],
    ["rejects", "export default async () => { throw 'no'; };", /rejects\.mjs: threw "no" for the prompt/],
    ["syntax", "export default (", /syntax\.mjs: cannot be loaded: /],
    [
      "other",
      "export const one = () => [], two = () => [];",
      /no default export .* write \S*other\.mjs:one or \S*other\.mjs:two/,
    ],
    ["exits", "export default () => process.exit(1);", /exits\.mjs: ended the thread/],
  ])("ends the run with one clear sentence: %s", async (name, source, message) => {
    await expect(grade(name, source)).rejects.toThrow(message);
    await expect(grade(name, source)).rejects.toMatchObject({
      name: "UserError",
      message: expect.not.stringContaining("\n"),
    });
  });

  it("is refused when its file is missing or has no such export", async () => {
    const { custom } = selectRewards([join(folder, "absent.mjs")], null);
    await expect(nodeRewardPool({ custom })).rejects.toThrow(/--reward-funcs \S*absent\.mjs: no such file/);
    await expect(grade("named", "export const one = () => [];", { exported: ":two" })).rejects.toThrow(
      /named\.mjs:two: exports no function two; write \S*named\.mjs:one/,
    );
  });

  it("that hangs is killed: its group is marked, and the next one goes on", async () => {
    const source = `export default ({ completions }) => {
      if (completions.length === 3) for (;;);
      return [5]; }`;
    const { first, group } = await grade("hang", source, { timeoutMs: 300 });
    expect(first.map(({ rewards, numbers }) => [rewards.hang, numbers.reward, numbers.verifier_failed])).toEqual([
      [null, 1, 1],
      [null, 0, 1],
      [null, 0, 1],
    ]);
    expect((await group(["\\boxed{7}"]))[0]).toMatchObject({
      rewards: { accuracy: 1, hang: 5 },
      numbers: { reward: 6, verifier_failed: 0 },
    });
  });
});
