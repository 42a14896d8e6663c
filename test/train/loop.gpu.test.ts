/** The training loop as a whole, on a model and a data set small enough for many runs. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RewardPool } from "../../src/reward/pool";
import { inThreadRewardPool } from "../support/in-thread-rewards";
import { createMockEngine } from "../support/mock-engine";
import { modelContext } from "../support/reference/models";
import { calculate, deterministicFiles, prepare, tinyRun, tinyTensors, writeTinyModel } from "./tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-loop-"));
  await prepare(root);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const bytes = async (run: string, step: number, name = "model.safetensors") =>
  (await fs.readFile(join(root, run, "checkpoints", `step_0000${step}`, name))).toString("latin1");

test("what was opened before a failed opening is closed", async () => {
  const closed: string[] = [];
  const pool = inThreadRewardPool({ scope: "model-tokens" });
  const context = await modelContext();
  const before = context.allocator.allocatedBytes;
  const rewards: RewardPool = {
    grade: (job) => pool.grade(job),
    close: async () => {
      closed.push("rewards");
      await pool.close();
    },
  };
  const openPython = () => Promise.reject(new Error("no interpreter"));
  await expect(tinyRun(root, "unopened", { rewards, openPython, gpu: context })).rejects.toThrow("no interpreter");
  expect(closed).toEqual(["rewards"]);
  expect(context.allocator.allocatedBytes).toBe(before);
});

describe("four steps", () => {
  test("code is written, run and observed; some answers are right; log-probs are exactly those of sampling", async () => {
    const { steps, summary, samples } = await tinyRun(root, "four");
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    for (const row of steps) {
      expect(row["sampling/sampling_logp_difference/max"]).toBe(0);
      expect(row["sampling/sampling_logp_difference/mean"]).toBe(0);
      expect(row.kl).toBe(0);
      expect(row["clip_ratio/region_mean"]).toBe(0);
      expect(row.entropy).toBeGreaterThan(0);
      expect(row.grad_norm).toBeGreaterThan(0);
      expect(row.loss).toBeTypeOf("number");
    }
    const mean = (name: "reward" | "tools/call_frequency") =>
      steps.reduce((sum, row) => sum + (row[name] ?? Number.NaN), 0) / steps.length;
    expect(mean("reward")).toBeGreaterThan(0.1);
    expect(mean("reward")).toBeLessThan(0.9);
    expect(mean("tools/call_frequency")).toBeGreaterThan(0.1);
    expect(summary).toMatchObject({ outcome: "finished", step: 4 });
    expect(samples.length).toBeGreaterThan(0);
    expect(await bytes("four", 4)).not.toBe(await bytes("four", 2));
  });

  test("the same seed again gives the same bytes", async () => {
    await tinyRun(root, "again");
    expect(await deterministicFiles(join(root, "again"), 4)).toEqual(await deterministicFiles(join(root, "four"), 4));
  });

  test("another seed does not", async () => {
    await tinyRun(root, "other", { values: { seed: 6 } });
    expect(await bytes("other", 4)).not.toBe(await bytes("four", 4));
  });

  test("a resume says which options change what is computed", async () => {
    const two = await tinyRun(root, "changed", { values: { maxSteps: 2 } });
    expect(two.notices).toEqual([]);
    const values = {
      resumeFromCheckpoint: join(root, "changed/checkpoints/step_00002"),
      maxSteps: 3,
      learningRate: 1e-3,
    };
    const { notices } = await tinyRun(root, "changed", { values });
    expect(notices).toEqual([expect.stringMatching(/^the run goes on with --learning-rate 0.001 instead of 0.003;/)]);
  });

  test("two, a resume and two are the same four", async () => {
    await tinyRun(root, "two", { values: { maxSteps: 2 } });
    await tinyRun(root, "two", {
      values: { resumeFromCheckpoint: join(root, "two/checkpoints/step_00002") },
    });
    expect(await deterministicFiles(join(root, "two"), 4)).toEqual(await deterministicFiles(join(root, "four"), 4));
  });

  test("recomputed activations give the same bytes", async () => {
    await tinyRun(root, "recomputed", { values: { gradientCheckpointing: true } });
    expect(await bytes("recomputed", 4)).toBe(await bytes("four", 4));
  });

  test("fewer sequences at once and another run-ahead give the same bytes", async () => {
    await tinyRun(root, "narrow", { values: { concurrency: 5, runAhead: 3 } });
    expect(await deterministicFiles(join(root, "narrow"), 4)).toEqual(await deterministicFiles(join(root, "four"), 4));
  });

  test("micro-batches change the loss by rounding only, and the log-probs not at all", async () => {
    const values = { maxSteps: 1, evalSamples: 0 };
    const [whole] = (await tinyRun(root, "whole", { values })).steps;
    const [split] = (await tinyRun(root, "split", { values: { ...values, microBatchTokens: 48 } })).steps;
    expect(Math.abs((split?.loss ?? Number.NaN) - (whole?.loss ?? 0))).toBeLessThan(1e-6);
    expect(split?.grad_norm).toBeCloseTo(whole?.grad_norm ?? 0, 6);
    expect(split?.["sampling/sampling_logp_difference/max"]).toBe(0);
  });
});

test("rewards rise on the tiny model, and not at learning rate 0", async () => {
  const last = async (learningRate: number) => {
    const { steps } = await tinyRun(root, `lr-${learningRate}`, {
      values: { learningRate, maxSteps: 12, saveSteps: 0, numGenerations: 8, logCompletions: false },
    });
    return steps.slice(-3).reduce((sum, { reward }) => sum + (reward ?? 0), 0) / 3;
  };
  expect(await last(1e-2)).toBeGreaterThan(0.9);
  expect(await last(0)).toBeLessThan(0.7);
});

test("two updates on one batch: the second sees other log-probs than were sampled, which the figures of the first do not show", async () => {
  const { steps } = await tinyRun(root, "twice", { values: { numIterations: 2, maxSteps: 2 } });
  expect(steps.map((row) => row["sampling/sampling_logp_difference/max"])).toEqual([0, 0]);
  const state = JSON.parse(await bytes("twice", 2, "trainer_state.json"));
  expect(state).toMatchObject({ global_step: 2, optimizer_step: 4 });
});

test("the table before and after: shares, and progress for every answer", async () => {
  const progress: (number | undefined)[] = [];
  const { summary } = await tinyRun(root, "table", {
    values: { maxSteps: 1, dataset: "nano", evalSamples: 3 },
    events: {
      onPhase: (phase, { done, total }) => {
        if (phase === "evaluate") progress.push(done);
        if (phase === "evaluate") expect(total).toBe(6);
      },
    },
  });
  expect(progress).toEqual([0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6]);
  expect(summary.table.map(({ name }) => name)).toHaveLength(4);
  for (const { before, after, unit } of summary.table) {
    expect(unit).toBe("share");
    for (const value of [before, after]) expect([0, 1 / 3, 2 / 3, 1]).toContain(value);
  }
});

describe("an interrupted run", () => {
  test("in the middle of a rollout, saves the last whole step and goes on to the same bytes", async () => {
    const stop = new AbortController();
    let calls = 0;
    const engine = createMockEngine(async (call) => {
      // The fourth step's first call: trajectories are under way.
      if (stepsDone === 3 && calls++ === 0) stop.abort();
      return calculate(call);
    });
    let stepsDone = 0;
    const values = { maxSteps: 5, saveSteps: 2 };
    const { summary, checkpoints } = await tinyRun(root, "stopped", {
      values,
      engine,
      signal: stop.signal,
      events: { onStep: () => void stepsDone++ },
    });
    expect(summary).toMatchObject({ outcome: "interrupted", step: 3 });
    expect(checkpoints).toEqual([2, 3]);
    expect(summary.next[0]?.command).toMatch(/--resume-from-checkpoint latest/);
    await tinyRun(root, "stopped", { values: { ...values, resumeFromCheckpoint: summary.checkpoint } });
    await tinyRun(root, "unstopped", { values });
    expect(await deterministicFiles(join(root, "stopped"), 5)).toEqual(
      await deterministicFiles(join(root, "unstopped"), 5),
    );
  });

  test("before its first step, ends without a checkpoint and says so", async () => {
    const { summary } = await tinyRun(root, "never", { signal: AbortSignal.abort() });
    expect(summary).toMatchObject({ outcome: "interrupted", step: 0, next: [] });
    expect(summary.checkpoint).toBeUndefined();
  });
});

test("an interrupted run whose trajectories are still being graded ends in order", async () => {
  const stop = new AbortController();
  let closed = false;
  const waiting: ((error: Error) => void)[] = [];
  const { summary } = await tinyRun(root, "ungraded", {
    signal: stop.signal,
    rewards: {
      // As the pool of threads: jobs under way are given up when it is closed.
      grade: () => {
        stop.abort();
        return new Promise((_, reject) => waiting.push(reject));
      },
      close: async () => {
        closed = true;
        for (const reject of waiting) reject(new Error("the reward pool was closed"));
      },
    },
  });
  expect(summary).toMatchObject({ outcome: "interrupted", step: 0 });
  expect(closed).toBe(true);
  // Rejections that nobody handles would fail this file.
  await new Promise((resolve) => setTimeout(resolve, 20));
});

describe("steps that teach nothing", () => {
  test("every group dropped by the filter: the weights stay, and the user is told", async () => {
    const { steps, notices } = await tinyRun(root, "filtered", {
      values: { groupFilterMin: 0.99, maxSteps: 2, saveSteps: 1 },
    });
    expect(steps.map((row) => row["train/kept_groups"])).toEqual([0, 0]);
    expect(steps.map((row) => [row.loss, row.grad_norm, row.entropy])).toEqual([
      [null, null, null],
      [null, null, null],
    ]);
    expect(notices.filter((text) => /every group/.test(text))).toHaveLength(2);
    expect(await bytes("filtered", 2)).toBe(await bytes("filtered", 1));
    expect(JSON.parse(await bytes("filtered", 2, "trainer_state.json"))).toMatchObject({ optimizer_step: 0 });
  });

  test("a gradient that is not finite: the weights stay, the user is told, the run goes on", async () => {
    const pool = inThreadRewardPool();
    const rewards: RewardPool = {
      grade: async (job) => {
        const { numbers, ...grade } = await pool.grade(job);
        return { ...grade, numbers: { ...numbers, reward: numbers.reward * 3e38 } };
      },
      close: () => pool.close(),
    };
    const { steps, notices } = await tinyRun(root, "overflow", {
      rewards,
      values: { scaleRewards: "none", maxSteps: 2, saveSteps: 1 },
    });
    expect(steps).toHaveLength(2);
    expect(steps.every((row) => !Number.isFinite(row.grad_norm))).toBe(true);
    expect(notices.filter((text) => /gradient norm is not finite/.test(text))).toHaveLength(2);
    expect(await bytes("overflow", 2)).toBe(await bytes("overflow", 1));
    expect(JSON.parse(await bytes("overflow", 2, "trainer_state.json"))).toMatchObject({ optimizer_step: 0 });
  });

  test("weights that a far too large step has blown up: a clear end", async () => {
    await expect(tinyRun(root, "blown", { values: { learningRate: 1e30 } })).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(/logits are not finite.*smaller --learning-rate/),
    });
  });

  test("no group with a right answer: no gradient", async () => {
    const dataset = join(root, "impossible.jsonl");
    await fs.writeFile(dataset, `${JSON.stringify({ prompt: "1", answer: "impossible" })}\n`);
    const { steps } = await tinyRun(root, "impossible", { values: { dataset, maxSteps: 1 } });
    expect(steps[0]).toMatchObject({ reward: 0, reward_std: 0, frac_reward_zero_std: 1, loss: 0, grad_norm: 0 });
  });
});

describe("a Python engine that fails", () => {
  test("by rejecting a call: an error observation, and the run goes on", async () => {
    let calls = 0;
    const working = createMockEngine(calculate);
    const engine = {
      ...working,
      run: (call: Parameters<typeof working.run>[0]) =>
        calls++ === 0 ? Promise.reject(new Error("the worker died")) : working.run(call),
    };
    const { steps } = await tinyRun(root, "rejecting", { engine, values: { maxSteps: 2 } });
    expect(steps).toHaveLength(2);
    expect(calls).toBeGreaterThan(1);
    const first = await fs.readFile(join(root, "rejecting/rollouts/step_00001.jsonl"), "utf8");
    expect(first).toContain("RunTime ERROR");
    expect(steps.every((row) => row["sampling/sampling_logp_difference/max"] === 0)).toBe(true);
  });
});

describe("bad input", () => {
  const refused = (message: RegExp) => ({ name: "UserError", message: expect.stringMatching(message) });

  test("NaN in the weights: which file, which tensor", async () => {
    const tensors = tinyTensors().map((tensor) => ({ ...tensor, data: tensor.data.slice() }));
    const poisoned = tensors.find(({ hfName }) => hfName.endsWith("layers.1.mlp.up_proj.weight"));
    poisoned?.data.fill(Number.NaN, 7, 8);
    await writeTinyModel(join(root, "poisoned"), tensors);
    await expect(tinyRun(root, "nan", { values: { modelNameOrPath: join(root, "poisoned") } })).rejects.toMatchObject(
      refused(/poisoned\/model\.safetensors: tensor model\.layers\.1\.mlp\.up_proj\.weight holds NaN/),
    );
  });

  test("NaN in the optimizer's moments", async () => {
    await tinyRun(root, "moments", { values: { maxSteps: 1, saveSteps: 1 } });
    const checkpoint = join(root, "moments/checkpoints/step_00001");
    const file = join(checkpoint, "optimizer.safetensors");
    const content = await fs.readFile(file);
    content.writeFloatLE(Number.NaN, content.length - 4);
    await fs.writeFile(file, content);
    await expect(
      tinyRun(root, "moments", { values: { maxSteps: 2, resumeFromCheckpoint: checkpoint } }),
    ).rejects.toMatchObject(refused(/optimizer\.safetensors: tensor exp_avg_sq\.\S+ holds NaN/));
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["another seed", { seed: 9 }, /--seed 5.*--seed 9/],
    ["no step left", { maxSteps: 2 }, /at step 2 already; raise --max-steps/],
  ])("resumed with %s", async (_, values, message) => {
    const resumeFromCheckpoint = join(root, "four/checkpoints/step_00002");
    await expect(tinyRun(root, "four", { values: { resumeFromCheckpoint, ...values } })).rejects.toMatchObject(
      refused(message),
    );
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["a prompt that is too long", { maxPromptLength: 4 }, /tokens, --max-prompt-length allows 4/],
    ["more positions than the model has", { maxCompletionLength: 64 }, /has 64 positions/],
    ["a missing model", { modelNameOrPath: "/nowhere/model" }, /\/nowhere\/model: no such folder/],
  ])("%s", async (_, values, message) => {
    await expect(tinyRun(root, "refused", { values })).rejects.toMatchObject(refused(message));
    await fs.rm(join(root, "refused"), { recursive: true, force: true });
  });
});
