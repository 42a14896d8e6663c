/** Runs with a critic: PPO on the tiny model, apart and on the policy's trunk. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Critic } from "../../src/train/critic";
import { createLearner } from "../../src/train/learner";
import { optimizerBatches } from "../../src/train/optimizer-batches";
import { sequencesOf } from "../../src/train/trajectories";
import { randomTensors } from "../support/reference/models";
import { gradedGroups, optionsOf, smallModel } from "./graded-batch";
import { deterministicFiles, prepare, tinyRun } from "./tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-critic-"));
  await prepare(root);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const PPO = { advantageEstimator: "gae", lam: 1, criticLearningRate: 3e-3, cliprangeValue: null };
const weights = async (run: string, step: number, name = "model.safetensors") =>
  (await fs.readFile(join(root, run, "checkpoints", `step_0000${step}`, name))).toString("latin1");

describe.each(["separate", "shared"])("a critic, %s", (critic) => {
  const values = { ...PPO, critic, maxSteps: 4, vfCoef: 1 };

  test("values begin at 0 and come to the mean of the returns, while rewards rise", async () => {
    const { steps } = await tinyRun(root, `${critic}-learns`, {
      values: { ...values, maxSteps: 25, saveSteps: 0, learningRate: 3e-3, numGenerations: 8 },
    });
    expect(steps[0]?.["critic/value_mean"]).toBe(0);
    expect(steps[0]?.["critic/explained_variance"]).toBeCloseTo(0, 12);
    // Of values of 0 and returns of 0 or 1: the mean of R^2 / 2.
    expect(steps[0]?.["critic/loss"]).toBeCloseTo((steps[0]?.["critic/return_mean"] ?? Number.NaN) / 2, 6);
    const late = (name: "reward" | "critic/value_mean" | "critic/return_mean") =>
      steps.slice(-3).reduce((sum, row) => sum + (row[name] ?? Number.NaN), 0) / 3;
    expect(late("reward")).toBeGreaterThan(0.85);
    expect(Math.abs(late("critic/value_mean") - late("critic/return_mean"))).toBeLessThan(0.15);
    for (const row of steps) expect(row["sampling/sampling_logp_difference/max"]).toBe(0);
  });

  test("two steps, a resume and two equal four, the critic too", async () => {
    await tinyRun(root, `${critic}-whole`, { values });
    await tinyRun(root, `${critic}-two`, { values: { ...values, maxSteps: 2 } });
    const resumeFromCheckpoint = join(root, `${critic}-two/checkpoints/step_00002`);
    await tinyRun(root, `${critic}-two`, { values: { ...values, resumeFromCheckpoint } });
    const files = await deterministicFiles(join(root, `${critic}-two`), 4);
    expect(files).toEqual(await deterministicFiles(join(root, `${critic}-whole`), 4));
    expect(Object.keys(files).includes("critic_model.safetensors")).toBe(critic === "separate");
  });
});

test("a critic that sees one batch again and again comes to explain its returns", async () => {
  const small = await smallModel();
  const options = optionsOf({ ...PPO, criticLearningRate: 1e-2 });
  const { critic } = createLearner(small.model, options);
  if (critic?.own === undefined) throw new Error("a critic of its own was expected");
  for (const tensor of randomTensors(critic.own.model.config)) critic.own.model.upload(tensor);
  const learner = new Critic(critic.pass, critic.own, options);
  const groups = await gradedGroups(small.pass);
  const explained: (number | null)[] = [];
  for (let step = 1; step <= 60; step++) {
    const values = await learner.values(sequencesOf(groups));
    const [batch = []] = optimizerBatches(groups, options, { values });
    explained.push((await learner.update(batch, values, step)).explainedVariance);
  }
  expect(explained[0]).toBeLessThan(0.1);
  expect(explained.at(-1)).toBeGreaterThan(0.9);
});

test("with values of 0 and one update, PPO is REINFORCE++", async () => {
  const values = { maxSteps: 1, lam: 1 };
  await tinyRun(root, "ppo", { values: { ...values, advantageEstimator: "gae" } });
  await tinyRun(root, "reinforce", { values: { ...values, advantageEstimator: "reinforce_pp" } });
  expect(await weights("ppo", 1)).toBe(await weights("reinforce", 1));
});

test("the critic's first steps leave the policy as it is", async () => {
  const values = { ...PPO, criticWarmupSteps: 2, maxSteps: 3, saveSteps: 1 };
  const { steps } = await tinyRun(root, "warm", { values });
  expect(steps.map(({ grad_norm: norm }) => norm === null)).toEqual([true, true, false]);
  expect(await weights("warm", 1)).toBe(await weights("warm", 2));
  expect(await weights("warm", 3)).not.toBe(await weights("warm", 2));
  expect(await weights("warm", 1, "critic_model.safetensors")).not.toBe(
    await weights("warm", 2, "critic_model.safetensors"),
  );
});

test("the critic's mini-batches make one update each", async () => {
  await tinyRun(root, "parts", { values: { ...PPO, criticMiniBatches: 3, maxSteps: 2 } });
  expect(JSON.parse(await weights("parts", 2, "trainer_state.json"))).toMatchObject({
    optimizer_step: 2,
    critic_step: 6,
  });
});
