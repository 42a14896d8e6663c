import { expect, it } from "vitest";
import { changedOptions } from "../../src/options/changed-options";
import { resolveTrainOptions, trainOptions } from "../../src/options/train";

const options = (values: Readonly<Record<string, unknown>>) =>
  resolveTrainOptions([{ source: "the test", spelling: "file", values: { preset: "nano", ...values } }]);

it("names the options that change what a step computes, and no others", () => {
  const before = trainOptions.toYaml(options({ lrSchedulerType: "constant", learningRate: 1e-4 }));
  const changed = (values: Readonly<Record<string, unknown>>) =>
    changedOptions(trainOptions, before, options({ lrSchedulerType: "constant", learningRate: 1e-4, ...values }));
  expect(changed({})).toEqual([]);
  expect(changed({ maxSteps: 7, saveSteps: 3, evalSamples: 5, outputDir: "x", modelNameOrPath: "y" })).toEqual([]);
  expect(changed({ learningRate: 2e-4, numGenerations: 4, maxGradNorm: null })).toEqual([
    "--num-generations 4 instead of 8",
    "--learning-rate 0.0002 instead of 0.0001",
    "--max-grad-norm none instead of 1",
  ]);
});

it("counts the number of steps where the learning rate depends on it, and forgives a file that knows fewer options", () => {
  const before = trainOptions.toYaml(options({ lrSchedulerType: "cosine", maxSteps: 10 }));
  const after = options({ lrSchedulerType: "cosine", maxSteps: 20 });
  expect(changedOptions(trainOptions, before, after)).toEqual(["--max-steps 20 instead of 10"]);
  expect(changedOptions(trainOptions, "seed: 3\n", after)).toEqual([]);
  expect(changedOptions(trainOptions, "", after)).toEqual([]);
});

it("counts what the questions, the reference and a batch sampled ahead depend on", () => {
  const changed = (was: Readonly<Record<string, unknown>>, is: Readonly<Record<string, unknown>>) =>
    changedOptions(trainOptions, trainOptions.toYaml(options(was)), options(is));
  expect(changed({ evalSamples: 0 }, { evalSamples: 5 })).toEqual(["--eval-samples 5 instead of 0"]);
  expect(changed({}, { evalDataset: "nano-mul" })).toEqual(["--eval-dataset nano-mul instead of none"]);
  const [here, there] = [{ modelNameOrPath: "x" }, { modelNameOrPath: "y" }];
  expect(changed(here, there)).toEqual([]);
  expect(changed({ ...here, beta: 0.1 }, { ...there, beta: 0.1 })).toEqual(["--model-name-or-path y instead of x"]);
  expect(changed({ maxSteps: 3 }, { maxSteps: 6 })).toEqual([]);
  const ahead = { maxStaleness: 1 };
  expect(changed({ ...ahead, maxSteps: 3 }, { ...ahead, maxSteps: 6 })).toEqual(["--max-steps 6 instead of 3"]);
});
