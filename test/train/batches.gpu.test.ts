/** What rollout batches are made of, and when: dynamic sampling, the greedy baseline, sampling ahead. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RewardPool } from "../../src/reward/pool";
import type { PythonEngine } from "../../src/sandbox/engine";
import type { RolloutBatch } from "../../src/train/batch";
import { readBatch, writeBatch } from "../../src/train/checkpoint";
import { inThreadRewardPool } from "../support/in-thread-rewards";
import { createMockEngine } from "../support/mock-engine";
import { calculate, deterministicFiles, prepare, tinyRun } from "./tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-batches-"));
  await prepare(root);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

interface Rollout {
  readonly id: number;
  readonly group: number;
  readonly sample: number;
  readonly prompt: string;
  readonly reward: number;
  readonly advantage?: number;
  readonly policy_versions: readonly (readonly [number, number])[];
  readonly ids: readonly number[];
}

async function rolloutsOf(run: string, step: number): Promise<Rollout[]> {
  const text = await fs.readFile(join(root, run, "rollouts", `step_0000${step}.jsonl`), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const groupsOf = (rollouts: readonly Rollout[]) =>
  [...new Set(rollouts.map(({ group }) => group))].map((group) => rollouts.filter((each) => each.group === group));

describe("dynamic sampling", () => {
  test("samples on until every group of the step has right and wrong answers", async () => {
    // Two answers a question are equal half of the time.
    const values = { dynamicSampling: true, numGenerations: 2, promptsPerStep: 4, maxSteps: 3, learningRate: 0 };
    const { steps } = await tinyRun(root, "dynamic", { values });
    let further = 0;
    for (const row of steps) {
      const rollouts = await rolloutsOf("dynamic", row.step);
      const groups = groupsOf(rollouts);
      const trained = groups.filter((group) => group.some(({ advantage }) => advantage !== undefined));
      expect(trained).toHaveLength(4);
      for (const group of trained) expect(group.map(({ reward }) => reward).sort()).toEqual([0, 1]);
      expect(new Set(rollouts.map(({ id }) => id)).size).toBe(rollouts.length);
      expect(groups.map((group) => group.length)).toEqual(groups.map(() => 2));
      const passing = groups.filter((group) => new Set(group.map(({ reward }) => reward)).size === 2).length;
      expect(row["train/kept_groups"]).toBe(passing / groups.length);
      // Not sampled on without need: all but the last round were too few.
      if (groups.length > 4) further++;
      expect(row["train/sampling_rounds"]).toBeGreaterThan(groups.length > 4 ? 1 : 0);
    }
    expect(further).toBeGreaterThan(0);
  });

  test("no question comes twice while others wait", async () => {
    const prompts: string[] = [];
    for (let step = 1; step <= 3; step++)
      for (const group of groupsOf(await rolloutsOf("dynamic", step))) prompts.push(group[0]?.prompt ?? "");
    // One pass over the data set has each of its 12 questions once.
    expect(new Set(prompts.slice(0, 12)).size).toBe(12);
  });

  test("goes on with what there is after the last round, and says so", async () => {
    const inner = inThreadRewardPool();
    const rewards: RewardPool = {
      grade: async (job) => {
        const grade = await inner.grade(job);
        return { ...grade, numbers: { ...grade.numbers, reward: 1, rule_rewards: 1 } };
      },
      close: () => inner.close(),
    };
    const values = { dynamicSampling: true, maxSamplingRounds: 2, maxSteps: 1 };
    const { steps, notices } = await tinyRun(root, "capped", { values, rewards });
    expect(steps[0]).toMatchObject({ "train/kept_groups": 0, "train/sampling_rounds": 2, grad_norm: null });
    expect(notices[0]).toMatch(/dropped every group/);
    expect(groupsOf(await rolloutsOf("capped", 1))).toHaveLength(6);
  });
});

test("remax: the reward of a greedy answer is the baseline", async () => {
  const values = { advantageEstimator: "remax", maxSteps: 2 };
  const { steps } = await tinyRun(root, "remax", { values });
  for (const { step } of steps)
    for (const group of groupsOf(await rolloutsOf("remax", step))) {
      const baselines = new Set(group.map(({ reward, advantage }) => reward - (advantage ?? Number.NaN)));
      expect(baselines.size).toBe(1);
      expect([0, 1]).toContain([...baselines][0]);
    }
});

describe("sampling ahead", () => {
  const values = { maxStaleness: 1, maxSteps: 4, saveSteps: 2, learningRate: 1e-2 };

  test("every batch but the first is one update old, its log-probs are those of the older policy, and the correction is on", async () => {
    const { steps } = await tinyRun(root, "ahead", { values });
    expect(steps.map(({ staleness }) => staleness)).toEqual([0, 1, 1, 1]);
    const differences = steps.map((row) => row["sampling/sampling_logp_difference/max"]);
    expect(differences[0]).toBe(0);
    for (const difference of differences.slice(1)) expect(difference).toBeGreaterThan(0);
    expect(steps[0]?.["sampling/importance_sampling_ratio/mean"]).toBe(1);
    for (const row of steps) expect(row["sampling/importance_sampling_ratio/max"]).toBeLessThanOrEqual(2);
    expect(steps[3]?.["sampling/importance_sampling_ratio/max"]).not.toBe(1);
    for (let step = 1; step <= 4; step++)
      for (const { policy_versions: versions } of await rolloutsOf("ahead", step))
        expect(versions).toEqual([[0, Math.max(0, step - 2)]]);
  });

  test("in flight: weights change under trajectories that wait for Python, and each token says which it saw", async () => {
    // Python answers only when the update that runs beside the rollout has been made.
    let updated = Promise.resolve();
    let made = () => {};
    const inner = createMockEngine(calculate);
    const engine: PythonEngine = {
      ...inner,
      run: (call) => updated.then(() => inner.run(call)),
      close: () => inner.close(),
    };
    const events = {
      onPhase: (phase: string, { done, total }: { done?: number; total?: number }) => {
        if (phase !== "update") return;
        if (done === undefined)
          updated = new Promise((resolve) => {
            made = resolve;
          });
        else if (done === total) setTimeout(made, 50);
      },
    };
    const inFlight = { ...values, inFlightWeightUpdates: true, maxSteps: 3 };
    const { summary } = await tinyRun(root, "flight", { values: inFlight, engine, events });
    expect(summary.outcome).toBe("finished");
    const second = await rolloutsOf("flight", 2);
    const mixed = second.filter(({ policy_versions: versions }) => versions.length > 1);
    expect(mixed.length).toBeGreaterThan(0);
    for (const { policy_versions: versions, ids } of mixed) {
      expect(versions.map(([, version]) => version)).toEqual([0, 1]);
      expect(versions[0]?.[0]).toBe(0);
      expect(versions[1]?.[0]).toBeGreaterThan(0);
      expect(versions[1]?.[0]).toBeLessThan(ids.length);
    }
  });

  test("the second batch is the one that the first policy gives, whatever runs beside it", async () => {
    await tinyRun(root, "still", { values: { ...values, maxStaleness: 0, learningRate: 0 } });
    const ids = async (run: string) => (await rolloutsOf(run, 2)).map((rollout) => rollout.ids);
    expect(await ids("ahead")).toEqual(await ids("still"));
  });

  test("the same seed again gives the same bytes, also when it is stopped and resumed", async () => {
    await tinyRun(root, "again", { values });
    const whole = await deterministicFiles(join(root, "ahead"), 4);
    expect(await deterministicFiles(join(root, "again"), 4)).toEqual(whole);
    await fs.rm(join(root, "again/checkpoints/step_00004"), { recursive: true });
    const resumeFromCheckpoint = join(root, "again/checkpoints/step_00002");
    await tinyRun(root, "again", { values: { ...values, resumeFromCheckpoint } });
    expect(await deterministicFiles(join(root, "again"), 4)).toEqual(whole);
  });

  test("a batch in a file comes back as it was", () => {
    const batch: RolloutBatch = {
      step: 3,
      groups: [
        [],
        [
          {
            trajectory: {
              id: 4,
              groupIndex: 1,
              sampleIndex: 0,
              promptIds: Uint32Array.of(5, 4_000_000_000),
              ids: Uint32Array.of(7),
              mask: Uint8Array.of(1),
              logprobs: Float32Array.of(-0.1, -1e-38, -123.456),
              segments: [{ kind: "text", start: 0, end: 1 }],
              toolLog: [],
              policyVersions: [{ start: 0, version: 9 }],
              finishReason: "stop",
              modelText: 'a "quoted" \u2028 text',
              fullText: "",
            },
            question: { prompt: "p", answer: ["1", "2"], columns: { level: 3, Float32Array: "no list" } },
            prompt: "p",
            grade: { numbers: JSON.parse("{}"), rewards: { accuracy: null }, prediction: null },
          },
        ],
      ],
      kept: [],
      passed: 1,
      greedyRewards: [0.5],
      rounds: 2,
      policyVersion: 9,
      sampledTokens: 1,
      seconds: 0.25,
      metrics: { "perf/x": 1 },
    };
    const kept = batch.groups.slice(1);
    expect(readBatch(writeBatch({ ...batch, kept }))).toEqual({ ...batch, kept });
  });
});
