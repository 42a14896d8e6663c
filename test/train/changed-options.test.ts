import { expect, it } from "vitest";
import { changedOptions } from "../../src/train/options/changed-options";
import { trainOptions } from "../../src/train/options/options";
import { resolveTrainOptions } from "../../src/train/options/resolve-options";

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
