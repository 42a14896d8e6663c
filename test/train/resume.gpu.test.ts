/** Every way to train goes on from a checkpoint as if it had never stopped, bit for bit. */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMockEngine } from "../support/mock-engine";
import { calculate, deterministicFiles, prepare, QUESTIONS, tinyRun } from "./tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-resume-"));
  await prepare(root);
  const graded = QUESTIONS.trimEnd()
    .split("\n")
    .map((line, index) => JSON.stringify({ ...JSON.parse(line), level: index % 5 }));
  await fs.writeFile(join(root, "graded.jsonl"), `${graded.join("\n")}\n`);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

type Values = Readonly<Record<string, unknown>>;

/** Small batches, so that groups without variance and questions that come again are among the steps. */
const SMALL: Values = { maxSteps: 6, saveSteps: 3, promptsPerStep: 2, numGenerations: 3, logCompletions: false };

const VARIANTS: readonly (readonly [string, Values])[] = [
  // No estimator and no loss keeps anything of its own, so two are held at a time.
  ...(
    [
      ["grpo", "dapo"],
      ["reinforce", "grpo"],
      ["reinforce_pp", "dr_grpo"],
      ["reinforce_pp_baseline", "bnpo"],
      ["rloo", "cispo"],
      ["opo", "sapo"],
      ["remax", "policy_gradient"],
    ] as const
  ).map(
    ([advantageEstimator, lossType]) =>
      [`estimator ${advantageEstimator}, loss ${lossType}`, { advantageEstimator, lossType }] as const,
  ),
  ["loss of sequences", { importanceSamplingLevel: "sequence", numIterations: 2 }],
  ["KL in the loss", { beta: 0.05 }],
  ["KL that is steered", { beta: 0.05, klTarget: 0.001, klHorizon: 20 }],
  ["KL in the reward", { beta: 0.05, klPlacement: "reward", advantageEstimator: "reinforce_pp" }],
  ["an adapter and its KL", { usePeft: true, loraR: 4, beta: 0.05 }],
  ["dynamic sampling", { dynamicSampling: true, maxSamplingRounds: 4 }],
  ["a filter of groups", { groupFilterMin: 0.1, groupFilterMax: 0.9 }],
  ["MoPPS", { promptSelection: "mopps" }],
  ["MoPPS in rounds", { promptSelection: "mopps", dynamicSampling: true }],
  ["a curriculum", { dataset: "graded.jsonl", curriculumColumn: "level", curriculumSteps: 4 }],
  ["a batch ahead", { maxStaleness: 1 }],
  [
    "a batch ahead of everything",
    { maxStaleness: 1, dynamicSampling: true, promptSelection: "mopps", beta: 0.05, klTarget: 0.001, klHorizon: 20 },
  ],
  ["a batch ahead with remax", { maxStaleness: 1, advantageEstimator: "remax" }],
  ["a correction for the sampler", { importanceSamplingMode: "sequence_mask", numIterations: 2 }],
  ["several updates on a batch", { promptsPerMiniBatch: 1, numIterations: 2 }],
  ["moments of 8 bits", { optim: "adamw_8bit" }],
  ["an entropy bonus", { entropyCoefficient: 0.01 }],
  ["a schedule", { lrSchedulerType: "cosine", warmupSteps: 2 }],
  ["a critic of its own", { advantageEstimator: "gae", criticMiniBatches: 2, criticWarmupSteps: 1 }],
  ["a critic on the policy's trunk", { advantageEstimator: "gae", critic: "shared" }],
  ["a critic and a batch ahead", { advantageEstimator: "gae", maxStaleness: 1 }],
];

const placed = (values: Values): Values => ({
  ...SMALL,
  ...values,
  ...(typeof values.dataset === "string" && { dataset: join(root, values.dataset) }),
});

/** What the third checkpoint and the run after it hold: texts, and sums of what nobody can read. */
const stateOf = async (name: string) => ({
  third: (await readable(name, 3))["model.safetensors"],
  end: await readable(name, 6),
});

async function readable(name: string, step: number): Promise<Record<string, string>> {
  const files = await deterministicFiles(join(root, name), step);
  return Object.fromEntries(
    Object.entries(files).map(([file, content]) => [
      file,
      file.endsWith(".safetensors") ? createHash("sha256").update(content, "latin1").digest("hex") : content,
    ]),
  );
}

test.each(VARIANTS)("%s: six steps are three, a resume and three", resumesExactly);

async function resumesExactly(name: string, given: Values): Promise<void> {
  const values = placed(given);
  const { steps } = await tinyRun(root, `whole ${name}`, { values });
  expect(steps.some((row) => (row.grad_norm ?? 0) > 0)).toBe(true);
  const whole = await stateOf(`whole ${name}`);
  const checkpoint = join(root, `whole ${name}/checkpoints/step_00003`);
  const fourth = join(root, `whole ${name}/rollouts/step_00004.jsonl`);
  await fs.access(fourth);
  // What a later step left is cut away before the run goes on.
  const again = await tinyRun(root, `whole ${name}`, { values: { ...values, resumeFromCheckpoint: checkpoint } });
  expect(again.steps.map(({ step }) => step)).toEqual([4, 5, 6]);
  expect(again.notices.filter((text) => /goes on with/.test(text))).toEqual([]);
  expect(await stateOf(`whole ${name}`)).toEqual(whole);
}

test("a run that is stopped while weights change under a rollout saves the step that they belong to", async () => {
  const values = { ...SMALL, maxStaleness: 1, inFlightWeightUpdates: true };
  const stop = new AbortController();
  let [step, calls] = [0, 0];
  const engine = createMockEngine(async (call) => {
    // Held until the update that goes on beside it is over, and the run waits for nothing else.
    if (step === 4 && calls++ === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      stop.abort();
    }
    return calculate(call);
  });
  const events = {
    onPhase: (_: string, detail: { step: number }) => {
      step = Math.max(step, detail.step);
    },
  };
  const { summary } = await tinyRun(root, "in flight", { values, engine, signal: stop.signal, events });
  const state = JSON.parse(await fs.readFile(join(summary.checkpoint ?? "", "trainer_state.json"), "utf8"));
  expect(summary).toMatchObject({ outcome: "interrupted", step: 4 });
  expect(state).toMatchObject({ global_step: 4, optimizer_step: 4, selection: { next_question: 8 } });
  const rest = { ...values, resumeFromCheckpoint: summary.checkpoint };
  expect((await tinyRun(root, "in flight", { values: rest })).summary).toMatchObject({ outcome: "finished", step: 6 });
});

test.each([
  ["grpo", { advantageEstimator: "gae" }, /without a critic of its own .* go on with the options that it had/],
  ["grpo", { advantageEstimator: "gae", critic: "shared" }, /without a critic on its trunk .* go on with the options/],
  ["a batch ahead", { maxStaleness: 1, advantageEstimator: "remax" }, /without the greedy answers of .* remax/],
])("a run with %s does not go on with %o, and stays as it was", async (name, values, message) => {
  const before: Values = { ...SMALL, maxSteps: 3, saveSteps: 1, ...(name === "a batch ahead" && { maxStaleness: 1 }) };
  const run = `other options ${name} ${JSON.stringify(values)}`;
  await tinyRun(root, run, { values: before });
  const folder = join(root, run);
  const whole = await deterministicFiles(folder, 3);
  const resumeFromCheckpoint = join(folder, "checkpoints/step_00002");
  await expect(tinyRun(root, run, { values: { ...before, ...values, resumeFromCheckpoint } })).rejects.toThrow(
    expect.objectContaining({ name: "UserError", message: expect.stringMatching(message) }),
  );
  expect(await deterministicFiles(folder, 3)).toEqual(whole);
});

describe("a run that is stopped by its signal", () => {
  /** The moments of step 4 at which it is stopped. */
  const moments: readonly (readonly [string, Values, "rollout" | "update" | "half an update"])[] = [
    ["in a rollout", {}, "rollout"],
    ["in a rollout ahead", { maxStaleness: 1 }, "rollout"],
    ["in an update", {}, "update"],
    ["in an update with a batch ahead", { maxStaleness: 1 }, "update"],
    ["between two updates on a batch", { promptsPerMiniBatch: 1, numIterations: 2 }, "half an update"],
    [
      "between two updates with a batch ahead",
      { maxStaleness: 1, promptsPerMiniBatch: 1, numIterations: 2, beta: 0.05, klTarget: 0.001, klHorizon: 20 },
      "half an update",
    ],
    ["in a rollout ahead of MoPPS", { maxStaleness: 1, promptSelection: "mopps", dynamicSampling: true }, "rollout"],
  ];

  test.each(moments)("%s, goes on to the same bytes", async (name, given, moment) => {
    const values = placed(given);
    await tinyRun(root, `unstopped ${name}`, { values });
    const stop = new AbortController();
    let [done, progress] = [0, 0];
    const engine = createMockEngine(async (call) => {
      if (moment === "rollout" && done === 3) stop.abort();
      return calculate(call);
    });
    const { summary } = await tinyRun(root, `stopped ${name}`, {
      values,
      engine,
      signal: stop.signal,
      events: {
        onStep: () => void done++,
        onPhase: (phase, detail) => {
          if (phase !== "update" || detail.step !== 4 || moment === "rollout") return;
          if (detail.done === undefined) progress = 0;
          else progress++;
          if (progress === (moment === "update" ? 0 : 2)) stop.abort();
        },
      },
    });
    expect(stop.signal.aborted).toBe(true);
    expect(summary.outcome).toBe("interrupted");
    expect([3, 4]).toContain(summary.step);
    const rest = { ...values, resumeFromCheckpoint: summary.checkpoint };
    const { steps } = await tinyRun(root, `stopped ${name}`, { values: rest });
    expect(steps[0]?.step).toBe(summary.step + 1);
    expect(await stateOf(`stopped ${name}`)).toEqual(await stateOf(`unstopped ${name}`));
  });
});
