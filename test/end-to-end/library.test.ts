/**
 * The built library as a user's program meets it: `import ... from "zerotir"`, in a process of its own and in this one.
 */
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type * as Library from "../../src/index";
import type { CustomRewardFunction, Environment, MetricsRow } from "../../src/index";
import { deterministicFiles, writeTinyModel } from "../train/tiny-run";
import { jsonLines, zerotir } from "./command-line";

const root = join(import.meta.dirname, "../..");
const library: typeof Library = await import(join(root, "dist/index.js"));

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), "zerotir-library-"));
  await writeTinyModel(join(folder, "model"));
});
afterAll(() => fs.rm(folder, { recursive: true, force: true }));

const TINY = {
  promptTemplate: "nano",
  maxSteps: 2,
  promptsPerStep: 2,
  numGenerations: 4,
  maxPromptLength: 16,
  maxCompletionLength: 40,
  maxToolCalls: 1,
  maxToolResponseTokens: 16,
  learningRate: 3e-3,
  evalSamples: 0,
  htmlReport: false,
  seed: 5,
} as const;
const ROWS = Array.from({ length: 6 }, (_, i) => ({ prompt: `${i + 1}-${i}`, answer: "2", level: i }));

/** A trainer of the tiny model into a folder of this name. */
function tiny(name: string, settings: Partial<Library.GRPOTrainerSettings> = {}): Library.GRPOTrainer {
  const { args, ...rest } = settings;
  return new library.GRPOTrainer({
    model: join(folder, "model"),
    trainDataset: ROWS,
    ...rest,
    args: { ...TINY, outputDir: join(folder, name), ...args },
  });
}

async function sha256(path: string): Promise<string> {
  return createHash("sha256")
    .update(await fs.readFile(path))
    .digest("hex");
}

async function rollouts(name: string, step = 1): Promise<Readonly<Record<string, unknown>>[]> {
  return jsonLines(await fs.readFile(join(folder, name, "rollouts", `step_0000${step}.jsonl`), "utf8"));
}

test("a run of the library is the run of the command line, byte for byte; its folder can be resumed by either", async () => {
  const shared = { maxSteps: 2, promptsPerStep: 2, numGenerations: 4, evalSamples: 0, htmlReport: false, seed: 9 };
  const flags = [
    ...["--prompts-per-step", "2", "--num-generations", "4", "--eval-samples", "0", "--no-html-report", "--seed", "9"],
  ];
  const argv = ["train", "--preset", "nano", ...flags];
  const byCommand = await zerotir([...argv, "--max-steps", "2", "--output-dir", "command"], { cwd: folder });
  expect(byCommand).toMatchObject({ code: 0 });
  const steps: number[] = [];
  const nano = (args: Library.GRPOArgs) =>
    new library.GRPOTrainer({
      model: "nano-base",
      trainDataset: "nano",
      args: { preset: "nano", ...shared, ...args },
      events: { onStep: ({ step }) => steps.push(step) },
    });
  const trainer = nano({ saveSteps: 1, outputDir: join(folder, "library") });
  const summary = await trainer.train();
  expect(summary).toMatchObject({ outcome: "finished", step: 2, runFolder: join(folder, "library") });
  expect(steps).toEqual([1, 2]);
  const weights = (name: string) => sha256(join(folder, name, "checkpoints/step_00002/model.safetensors"));
  expect(await weights("library")).toBe(await weights("command"));
  expect(await deterministicFiles(join(folder, "library"), 2)).toEqual(
    await deterministicFiles(join(folder, "command"), 2),
  );

  const resumed = await nano({
    resumeFromCheckpoint: join(folder, "library/checkpoints/step_00001"),
    outputDir: join(folder, "resumed"),
  }).train();
  expect(resumed).toMatchObject({ outcome: "finished", step: 2 });
  expect(await weights("resumed")).toBe(await weights("command"));
  // Both runs have let go of their folders.
  expect(await fs.readdir(join(folder, "library"))).not.toContain(".lock");
});

describe("GRPOTrainer", () => {
  test("functions get every column, may be async, give null, and log", async () => {
    const levels = new Set<unknown>();
    const oneStep: CustomRewardFunction = async ({ prompts, completions, level }, { logExtra, logMetric }) => {
      for (const each of level ?? []) levels.add(each);
      expect(prompts).toHaveLength(4);
      logExtra(
        "length",
        completions.map((text) => text.length),
      );
      logMetric("answered", completions.filter((text) => text.includes("boxed")).length);
      return completions.map((text, i) => (i === 0 ? null : text.length));
    };
    const rows: MetricsRow[] = [];
    const trainer = tiny("functions", {
      rewardFuncs: ["accuracy", oneStep],
      args: { rewardWeights: [1, 0.5], maxSteps: 1 },
      events: { onStep: (row) => rows.push(row) },
    });
    await trainer.train();
    expect(levels.size).toBe(2);
    const lines = await rollouts("functions");
    expect(lines).toHaveLength(8);
    for (const { sample, model_text: text, extra, reward, reward_functions: values } of lines) {
      const { accuracy, oneStep: length } = values as Record<string, number>;
      expect(extra).toEqual({ length: String(text).length });
      expect(length).toBe(sample === 0 ? null : String(text).length);
      expect(reward).toBeCloseTo((accuracy ?? Number.NaN) + 0.5 * (length ?? 0), 12);
    }
    const answered = lines.filter(({ model_text: text }) => String(text).includes("boxed")).length;
    expect(rows[0]?.["rewards/answered"]).toBe(answered / 2);
    await expect(trainer.saveModel(undefined as never)).rejects.toThrow("saveModel: expected a folder");
    await expect(trainer.saveModel(join(folder, "int3"), "int3" as never)).rejects.toThrow("int3 is none of float32");
    await trainer.saveModel(join(folder, "saved"));
    expect(await fs.readdir(join(folder, "saved"))).toContain("model.safetensors");
    const saved = await library.generate({
      model: join(folder, "saved"),
      prompts: ["3-1"],
      args: { promptTemplate: "nano", numGenerations: 2, maxCompletionLength: 20, seed: 1 },
    });
    expect(saved.map(({ ids, logprobs }) => ids.length === logprobs.length)).toEqual([true, true]);
  });

  test("an environment takes Python's place, and its reward is what is optimised", async () => {
    class Closing implements Environment {
      readonly turnEnds = ["{"];
      heard = "";
      steps = 0;
      reset(row: Library.EnvironmentRow) {
        return String(row.question);
      }
      step(text: string) {
        this.heard = text;
        return this.steps++ === 0 ? "3}" : { done: true as const };
      }
      async reward() {
        return this.heard.endsWith("\\boxed") ? 2 : this.steps;
      }
    }
    const settings: Partial<Library.GRPOTrainerSettings> = {
      trainDataset: [{ prompt: "unused", question: "5-3" }],
      environmentFactory: () => new Closing(),
      args: { maxToolCalls: 3 },
    };
    await tiny("environment", settings).train();
    const lines = await rollouts("environment");
    expect(lines.some(({ tools }) => Array.isArray(tools) && tools.length > 0)).toBe(true);
    for (const { prompt, tools, reward, reward_functions: values, mask, ids, segments } of lines) {
      expect(prompt).toBe("User: 5-3\nAssistant:");
      const answers = tools as { code: string }[];
      expect(reward).toBe(answers.at(-1)?.code.endsWith("\\boxed") ? 2 : answers.length);
      expect(values).toEqual({ environment: reward });
      const observed = (segments as { kind: string; start: number; end: number }[]).filter(
        ({ kind }) => kind === "observation",
      );
      for (const { start, end } of observed) {
        expect((ids as number[]).slice(start, end)).toEqual([0x33, 0x7d]);
        expect((mask as number[]).slice(start, end)).toEqual([0, 0]);
      }
      expect((mask as number[]).at(-1)).toBe(1);
    }
    // The same seed gives the same run.
    await tiny("again", settings).train();
    expect(await deterministicFiles(join(folder, "again"), 2)).toEqual(
      await deterministicFiles(join(folder, "environment"), 2),
    );
  });

  test("an environment that throws ends the run, and lets go of its folder", async () => {
    const trainer = tiny("thrown", {
      environmentFactory: () => ({
        reset() {},
        reward() {
          throw new TypeError("no judge");
        },
      }),
    });
    await expect(trainer.train()).rejects.toMatchObject({
      name: "UserError",
      message: "the environment: reward threw TypeError: no judge",
    });
    expect(await fs.readdir(join(folder, "thrown"))).not.toContain(".lock");
    await expect(trainer.saveModel(join(folder, "nothing"))).rejects.toThrow("nothing has been trained and saved yet");
  });

  const unnamed = [() => [1]][0] as CustomRewardFunction;
  test.each<[string, Record<string, unknown>, RegExp]>([
    [
      "an unknown option",
      { args: { learningRat: 1 } },
      /^args: unknown option learningRat of train; the nearest one is learningRate$/,
    ],
    [
      "a value out of range",
      { args: { gamma: 2 } },
      /^args: gamma is 2, expected a number of at least 0 and at most 1$/,
    ],
    [
      "an option that is a setting",
      { args: { dataset: "nano" } },
      /dataset stands beside args; give it as trainDataset/,
    ],
    ["a function without a name", { rewardFuncs: unnamed }, /a function has no name to be logged by/],
    ["an unknown name", { rewardFuncs: "acuracy" }, /there is no such reward function; the nearest one is accuracy/],
    ["tools beside an environment", { tools: {}, environmentFactory: () => ({ reset() {} }) }, /are both given/],
    [
      "an unknown setting",
      { rewardFunc: () => [1] },
      /^GRPOTrainer: unknown setting rewardFunc; the nearest one is rewardFuncs$/,
    ],
    ["no options", { args: null }, /^args: expected an object of options/],
    ["options as a text", { args: "maxSteps=1" }, /^args: expected an object of options/],
    ["no reward functions", { rewardFuncs: null }, /^rewardFuncs: null is neither a name nor a function/],
    ["a number as data", { trainDataset: 5 }, /^trainDataset: expected a name, a path or a list of rows/],
  ])("%s is an error of the constructor", (_, settings, message) => {
    expect(() => new library.GRPOTrainer({ model: "nano-base", trainDataset: "nano", ...settings })).toThrow(
      expect.objectContaining({ name: "UserError", message: expect.stringMatching(message) }),
    );
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    [
      "a text as prompts",
      () => library.generate({ model: "nano-base", prompts: "1+1" as never }),
      /^prompts: expected a list/,
    ],
    ["no data set", () => library.evaluate({ model: "nano-base" } as never), /^dataset: expected a benchmark/],
    ["no model", () => library.evaluate({ dataset: "nano" } as never), /^model: expected a folder/],
    [
      "another spelling",
      () => library.evaluate({ models: "nano-base", dataset: "nano" } as never),
      /setting models; .* model$/,
    ],
  ])("%s is an error of the function", async (_, call, message) => {
    await expect(call()).rejects.toThrow(
      expect.objectContaining({ name: "UserError", message: expect.stringMatching(message) }),
    );
  });

  test("a row that is no question is named", async () => {
    await expect(tiny("rows", { trainDataset: [...ROWS, { answer: "2" }] }).train()).rejects.toThrow(
      /^trainDataset\[6\]: has no text under prompt, question, problem/,
    );
  });
});

test("SFTTrainer and DPOTrainer take rows as values", async () => {
  const args = { maxSteps: 2, evalSamples: 0, maxLength: 32, perDeviceTrainBatchSize: 2, seed: 1 };
  const model = join(folder, "model");
  const sft = new library.SFTTrainer({
    model,
    trainDataset: ROWS.map(({ prompt }) => ({ prompt, completion: "\\boxed{2}" })),
    args: { ...args, outputDir: join(folder, "sft") },
  });
  expect(await sft.train()).toMatchObject({ outcome: "finished", step: 2 });
  const dpo = new library.DPOTrainer({
    model,
    trainDataset: ROWS.map(({ prompt }) => ({ prompt, chosen: "\\boxed{2}", rejected: "\\boxed{3}" })),
    args: { ...args, outputDir: join(folder, "dpo") },
  });
  expect(await dpo.train()).toMatchObject({ outcome: "finished", step: 2 });
});

describe("examples", () => {
  const example = async (name: string, ...argv: string[]) => {
    const file = join(root, "docs/examples", name);
    const { stdout } = await promisify(execFile)(process.execPath, [file, ...argv], { cwd: folder });
    return stdout.trimEnd().split("\n");
  };

  test("train-with-own-reward.mjs", async () => {
    const lines = await example("train-with-own-reward.mjs", "own-reward");
    expect(lines).toHaveLength(3);
    expect(lines[2]).toBe("the run is in own-reward, its weights in own-reward/checkpoints/step_00002");
    for (const { reward, extra } of await rollouts("own-reward")) {
      const { programs } = extra as { programs: number };
      expect([0, 1 - 0.1 * programs]).toContain(reward);
    }
  });

  test("train-in-an-environment.mjs: the reward rises", async () => {
    const lines = await example("train-in-an-environment.mjs", "guessing");
    const { first, last } = JSON.parse(lines.at(-1) ?? "");
    expect(last).toBeGreaterThan(first + 0.1);
  });

  test("ask-and-measure.mjs", async () => {
    const lines = (await example("ask-and-measure.mjs")).map((line) => JSON.parse(line));
    expect(lines.slice(0, 4).map(({ prompt }) => prompt)).toEqual(
      ["47*86", "47*86", "7+5", "7+5"].map((question) => `User: ${question}\nAssistant:`),
    );
    for (const { logprob } of lines.slice(0, 4)) expect(logprob).toBeLessThan(0);
    expect(lines[4]).toMatchObject({ benchmark: "dataset", figures: { questions: 3, generations: 8 } });
  });

  test("policy-gradient-by-hand.mjs", async () => {
    const lines = (await example("policy-gradient-by-hand.mjs")).map((line) => JSON.parse(line));
    // Rewards 1, 0, 0, 1: (R - 1/2) / sqrt(1/3). c_t = -A r / 8 where the ratio is not clipped.
    const advantage = 0.5 * Math.sqrt(3);
    expect(lines.map((line) => line.clipped)).toEqual([0, 1, 0, 2]);
    for (const c of lines[0].coefficients) expect(c).toBeCloseTo((-advantage * Math.exp(0.1)) / 8, 5);
    expect(lines[1].coefficients).toEqual([0]);
    for (const c of lines[2].coefficients) expect(c).toBeCloseTo(advantage / 8, 5);
    expect(lines[3].coefficients).toEqual([0, 0]);
  });
});

test("a TypeScript program gets types, also with Node's own resolution", async () => {
  execFileSync(process.execPath, [join(root, "scripts/build-types.mjs")], { cwd: root, stdio: "pipe" });
  const program = join(folder, "typed");
  await fs.mkdir(join(program, "node_modules"), { recursive: true });
  await fs.symlink(root, join(program, "node_modules/zerotir"));
  await fs.symlink(join(root, "node_modules/@types"), join(program, "node_modules/@types"));
  const source = `import { type CustomRewardFunction, type Environment, GRPOTrainer, spearman, type TrainSummary } from "zerotir";
const short: CustomRewardFunction = ({ completions }, { logMetric }) => {
  logMetric("count", completions.length);
  return completions.map((text) => -text.length);
};
class Echo implements Environment {
  reset(): void {}
  readonly tools = { echo: (text: string) => text };
  reward() {
    return 1;
  }
}
const settings = { model: "nano-base", trainDataset: [{ prompt: "1+1", answer: "2" }] };
const trainer = new GRPOTrainer({ ...settings, rewardFuncs: short, environmentFactory: () => new Echo(), args: { maxSteps: 2 } });
export const summary: Promise<TrainSummary> = trainer.train();
export const n: number = spearman([1, 2], [2, 1]).n;
// @ts-expect-error an option that does not exist
new GRPOTrainer({ ...settings, args: { maxStep: 2 } });
// @ts-expect-error a function that returns texts
new GRPOTrainer({ ...settings, rewardFuncs: () => ["1"] });
`;
  await fs.writeFile(join(program, "use.ts"), source);
  await fs.writeFile(join(program, "package.json"), '{ "type": "module" }');
  for (const resolution of ["NodeNext", "Bundler"]) {
    const module = resolution === "Bundler" ? "ESNext" : resolution;
    const flags = ["--noEmit", "--strict", "--target", "ES2022", "--lib", "ES2023", "--types", "node"];
    const argv = [...flags, "--module", module, "--moduleResolution", resolution, "use.ts"];
    execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...argv], { cwd: program });
  }
});
