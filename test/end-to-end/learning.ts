/**
 * The shipped model learns, within a few steps, to let Python do the arithmetic: the claim of the whole project, small
 * enough for every test run. In three files, as two run at once.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveTrainOptions, trainOptions } from "../../src/options/train";
import { nodeTrainingHost } from "../../src/platform/node/training-host";
import { silentEvents } from "../../src/session/events";
import type { MetricsRow } from "../../src/session/metrics";
import { runTraining } from "../../src/train/loop";
import { tempFolder } from "../support/temp-folder";

/** On SwiftShader twenty steps take more than a minute. */
export const TIMEOUT_MS = 300_000;
/** Steps whose mean counts at the beginning and at the end. */
export const WINDOW = 4;

/**
 * Presets with the steps after which accuracy has risen by 0.2; docs/algorithms.md has the whole runs over three seeds.
 * One seed each, the same on every run of an adapter: the steps were chosen with it.
 */
export const STEPS_TO_LEARN = {
  "nano-zerotir-rpp": 18,
  "nano-zerotir-grpo": 18,
  "nano-zerotir-ppo": 22,
  "nano-orz-ppo": 14,
  "nano-torl": 14,
  "nano-simplerl": 14,
  "nano-dapo": 13,
  "nano-dr-grpo": 14,
} as const;
const RISE = 0.2;

/** The rows of a run that ends; every step is made on exactly the policy that sampled. */
export async function train(values: Readonly<Record<string, unknown>>): Promise<MetricsRow[]> {
  const outputDir = join(tempFolder("learning"), "run");
  const options = resolveTrainOptions([
    {
      source: "the test",
      spelling: "file",
      values: {
        preset: "nano",
        saveSteps: 0,
        promptsPerStep: 8,
        numGenerations: 8,
        evalSamples: 0,
        logCompletions: false,
        seed: 7,
        ...values,
      },
    },
  ]);
  const steps: MetricsRow[] = [];
  const nothing = () => {};
  let fail: (error: Error) => void = nothing;
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const host = nodeTrainingHost(nothing, fail);
  try {
    const events = {
      ...silentEvents,
      onStep: (row: MetricsRow) => void steps.push(row),
    };
    const placed = { ...options, outputDir };
    const run = runTraining(placed, trainOptions.toYaml(placed), host, events);
    expect(await Promise.race([run, failure])).toMatchObject({ outcome: "finished", step: options.maxSteps });
  } finally {
    host.close();
  }
  expect(steps).toHaveLength(options.maxSteps);
  for (const row of steps) {
    // A filter may drop all groups of a step.
    if (row["train/kept_groups"] !== 0) expect(row.loss).toBeTypeOf("number");
    expect(row["sampling/sampling_logp_difference/max"]).toBe(0);
  }
  return steps;
}

type Name = "rollout/rule_rewards" | "rollout/code_rewards";

export function figures(steps: readonly MetricsRow[]) {
  const mean = (rows: readonly MetricsRow[], name: Name) =>
    rows.reduce((sum, row) => sum + (row[name] ?? Number.NaN), 0) / rows.length;
  const [first, last] = [steps.slice(0, WINDOW), steps.slice(-WINDOW)];
  return {
    accuracy: mean(last, "rollout/rule_rewards"),
    accuracyRise: mean(last, "rollout/rule_rewards") - mean(first, "rollout/rule_rewards"),
    codeRise: mean(last, "rollout/code_rewards") - mean(first, "rollout/code_rewards"),
  };
}

/** Tests that these presets teach the model to be right more often, and by Python. */
export function learnsWith(...presets: (keyof typeof STEPS_TO_LEARN)[]): void {
  test.each(presets.map((preset) => [preset, STEPS_TO_LEARN[preset]] as const))(
    "%s learns within %d steps",
    async (preset, maxSteps) => {
      const { accuracyRise, codeRise } = figures(await train({ preset, maxSteps }));
      expect(accuracyRise).toBeGreaterThan(RISE);
      expect(codeRise).toBeGreaterThan(RISE);
    },
    TIMEOUT_MS,
  );
}
