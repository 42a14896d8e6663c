/** Reward functions in the loop: columns of the data set, weights, metrics, what a mistake does. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodeRewardPool } from "../../src/platform/node/reward-pool";
import { selectRewards } from "../../src/reward/selection";
import { prepare, tinyRun } from "./tiny-run";

let root: string;
let file: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-rewards-"));
  await prepare(root);
  file = join(root, "own.mjs");
  await fs.writeFile(
    file,
    `export const level = (batch) => batch.level.map((level, i) => (batch.trajectories[i].executions > 0 ? level : null));
     export const broken = () => [1];
     export const hang = () => new Promise(() => {});`,
  );
  const rows = Array.from({ length: 6 }, (_, i) => JSON.stringify({ prompt: `${i + 1}-1`, answer: "2", level: 3 }));
  await fs.writeFile(join(root, "levels.jsonl"), rows.join("\n"));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

async function run(name: string, rewardFuncs: string[], rewardWeights: number[], timeoutMs = 10_000) {
  const { builtIn, custom } = selectRewards(rewardFuncs, rewardWeights);
  const rewards = await nodeRewardPool({ builtIn: { functions: builtIn }, custom, timeoutMs });
  const values = { dataset: join(root, "levels.jsonl"), rewardFuncs, rewardWeights, maxSteps: 2, saveSteps: 0 };
  const { steps, notices } = await tinyRun(root, name, { rewards, values });
  const text = await fs.readFile(join(root, name, "rollouts/step_00001.jsonl"), "utf8");
  const records: { reward: number; reward_functions: Record<string, number | null>; tools: unknown[] }[] = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { steps, notices, records };
}

test("the reward is the weighted sum of what applies, and each function has its mean and deviation", async () => {
  const { steps, records } = await run("columns", ["torl", `${file}:level`], [2, 0.5]);
  const withCode = records.filter(({ tools }) => tools.length > 0);
  expect(withCode.length).toBeGreaterThan(0);
  expect(withCode.length).toBeLessThan(records.length);
  for (const { reward, reward_functions: values, tools } of records) {
    expect(values.level).toBe(tools.length > 0 ? 3 : null);
    expect(Math.abs(values.torl ?? 0)).toBe(1);
    expect(reward).toBe(2 * (values.torl ?? 0) + 0.5 * (values.level ?? 0));
  }
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const torl = records.map(({ reward_functions: values }) => values.torl ?? Number.NaN);
  const variance = torl.reduce((sum, value) => sum + (value - mean(torl)) ** 2, 0) / (torl.length - 1);
  expect(steps[0]?.["rewards/torl/mean"]).toBeCloseTo(mean(torl), 12);
  expect(steps[0]?.["rewards/torl/std"]).toBeCloseTo(Math.sqrt(variance), 12);
  expect(steps[0]).toMatchObject({ "rewards/level/mean": 3, "rewards/level/std": 0, "rollout/verifier_failed": 0 });
  expect(steps[0]?.reward).toBeCloseTo(mean(records.map(({ reward }) => reward)), 12);
  expect(steps[0]?.["rollout/rule_rewards"]).toBeCloseTo(mean(torl.map((value) => Number(value === 1))), 12);
});

test("a function that does not do what it should ends the run as the user's mistake", async () => {
  await expect(run("broken", ["accuracy", `${file}:broken`], [1, 1])).rejects.toMatchObject({
    name: "UserError",
    message: expect.stringMatching(/own\.mjs:broken: returned 1 value for the prompt "User: .*", expected 4/),
  });
});

test("a function that never answers is given up, and the run goes on with the others", async () => {
  const { steps, notices, records } = await run("hanging", ["accuracy", `${file}:hang`], [1, 1], 200);
  expect(steps).toHaveLength(2);
  expect(steps[0]).toMatchObject({ "rewards/hang/mean": null, "rewards/hang/std": null, "rollout/verifier_failed": 1 });
  expect(steps[0]?.reward).toBe(steps[0]?.["rewards/accuracy/mean"]);
  expect(notices.filter((text) => /--reward-timeout, or failed, for 12 of 12 trajectories/.test(text))).toHaveLength(2);
  expect(records.every(({ reward_functions: values }) => values.hang === null)).toBe(true);
});
