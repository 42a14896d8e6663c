import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { editDistance, nearest } from "../../src/base/nearest";
import { evalOptions, sampleOptions } from "../../src/options/evaluate";
import { planOptions } from "../../src/options/plan";
import { presetFiles, presetNames, presetOptions } from "../../src/options/presets";
import { dpoOptions, pretrainOptions, sftOptions } from "../../src/options/supervised";
import { resolveTrainOptions, trainOptions } from "../../src/options/train";

const file = (values: Record<string, unknown>) => ({ source: "run.yaml", spelling: "file", values }) as const;
const flags = (values: Record<string, unknown>) => ({ source: "command line", spelling: "flag", values }) as const;

const model = { source: "base", spelling: "file", values: { model_name_or_path: "m", dataset: "d.jsonl" } } as const;

describe("resolveTrainOptions", () => {
  it("has TRL's defaults", () => {
    expect(resolveTrainOptions([model])).toMatchObject({
      numGenerations: 8,
      learningRate: 1e-6,
      beta: 0,
      epsilon: 0.2,
      epsilonHigh: null,
      delta: null,
      lossType: "dapo",
      scaleRewards: "group",
      temperature: 1,
      gamma: 1,
      maxGradNorm: 1,
      seed: 42,
    });
  });

  it("lets defaults < preset < file < flags < overrides win, wherever the preset is named", () => {
    expect(resolveTrainOptions([flags({ preset: "nano" })])).toMatchObject({
      learningRate: 5e-4,
      promptTemplate: "nano",
    });
    expect(resolveTrainOptions([file({ preset: "nano", learning_rate: 1e-3 }), flags({})]).learningRate).toBe(1e-3);
    const layers = [
      file({ learning_rate: 1e-3, gamma: 0.9, seed: 1 }),
      flags({ preset: "nano", learningRate: 1e-2, gamma: 0.8 }),
      flags({ "learning-rate": 0.1 }),
    ];
    expect(resolveTrainOptions(layers)).toMatchObject({ learningRate: 0.1, gamma: 0.8, seed: 1, maxSteps: 40 });
  });

  it("takes the three spellings of a key, but not two of them at once", () => {
    for (const key of ["numGenerations", "num_generations", "num-generations"])
      expect(resolveTrainOptions([model, file({ [key]: 4 })]).numGenerations).toBe(4);
    expect(() => resolveTrainOptions([file({ num_generations: 4, numGenerations: 4 })])).toThrow(
      /run.yaml: .* given twice/,
    );
    expect(resolveTrainOptions([model, file({ adam_beta1: 0.8, tool_memory_mb: 64 })])).toMatchObject({
      adamBeta1: 0.8,
      toolMemoryMb: 64,
    });
  });

  it.each([
    [file({ learning_rat: 1 }), "run.yaml: unknown option learning_rat of train; the nearest one is learning_rate"],
    [
      flags({ "num-generation": 1 }),
      "command line: unknown option --num-generation of train; the nearest one is --num-generations",
    ],
    [file({ constructor: 1 }), /unknown option constructor/],
    [
      file({ group_filter_min: 2 }),
      "run.yaml: group_filter_min is 2, expected a number of at least 0 and at most 1, or none",
    ],
    [flags({ gamma: "x" }), '--gamma is "x", expected a number of at least 0 and at most 1'],
    [flags({ promptsPerStep: 1.5 }), "--prompts-per-step is 1.5, expected a whole number of at least 1"],
    [
      file({ loss_type: "dappo" }),
      'run.yaml: loss_type is "dappo", expected one of dapo, grpo, dr_grpo, bnpo, cispo, sapo, policy_gradient',
    ],
    [file({ delta: 0.5 }), "run.yaml: delta is 0.5, expected a number above 1, or none"],
    [file({ gradient_checkpointing: "yes" }), 'run.yaml: gradient_checkpointing is "yes", expected true or false'],
    [flags({ preset: "nanno" }), 'preset "nanno" does not exist; the nearest one is nano (there are nano,'],
    [flags({ beta: 0.04, klEstimator: "k1" }), /--kl-estimator is "k1", but its expected gradient in a loss is 0/],
    [flags({ klTarget: 0.1 }), /--kl-target is 0.1, but --beta is 0/],
    [flags({ advantageEstimator: "gae", usePeft: true }), /--use-peft is true, but a critic beside an adapter/],
    [
      flags({ advantageEstimator: "gae", critic: "shared", criticWarmupSteps: 2 }),
      /--critic-warmup-steps is 2, but --critic shared/,
    ],
    [flags({ advantageEstimator: "gae", critic: "shared", vfCoef: 0 }), /--vf-coef is 0, but --critic shared learns/],
    [
      flags({ advantageEstimator: "gae", criticWarmupSteps: 100 }),
      /--critic-warmup-steps is 100, but --max-steps is 100/,
    ],
    [flags({ klPlacement: "reward" }), /--kl-placement is "?reward"?, but --beta is 0/],
    [
      flags({ dynamicSampling: true, numGenerations: 1, advantageEstimator: "reinforce" }),
      /--num-generations is 1, but --dynamic/,
    ],
    [flags({ importanceSamplingCap: 0.5 }), /--importance-sampling-cap is 0.5, but .* must lie between/],
    [flags({ groupFilterMax: 0 }), /--group-filter-max is 0, but then no group passes/],
    [
      flags({ promptsPerStep: 1024, numGenerations: 64, dynamicSampling: true, maxSamplingRounds: 64, maxSteps: 5000 }),
      /--max-steps is 5000, but trajectories are numbered with 32 bits/,
    ],
    [flags({ inFlightWeightUpdates: true }), /--in-flight-weight-updates is true, but --max-staleness is 0/],
    [flags({ numGenerations: 1 }), /--num-generations is 1, but grpo compares/],
    [flags({ delta: 1.1 }), /--delta is 1.1, but the dual clip must lie above/],
    [
      flags({ groupFilterMin: 0.8, groupFilterMax: 0.2 }),
      /--group-filter-min is 0.8, but must be below --group-filter-max 0.2/,
    ],
    [flags({ warmupSteps: 200 }), /--warmup-steps is 200, but --max-steps is 100/],
  ])("refuses %j", (layer, message) => {
    expect(() => resolveTrainOptions([model, layer])).toThrow(message);
    expect(() => resolveTrainOptions([model, layer])).toThrow(expect.objectContaining({ name: "UserError" }));
  });

  it("takes the template that suits a named data set, unless one is given", () => {
    const template = (values: Record<string, unknown>) =>
      resolveTrainOptions([flags({ modelNameOrPath: "m", ...values })]).promptTemplate;
    expect(template({ dataset: "nano" })).toBe("nano");
    expect(template({ dataset: "gsm8k" })).toBe("zero-tir");
    expect(template({ dataset: "nano.jsonl" })).toBe("zero-tir");
    expect(template({ dataset: "nano", promptTemplate: "zero-no-tool" })).toBe("zero-no-tool");
    expect(template({ preset: "nano", dataset: "gsm8k" })).toBe("nano");
  });

  it("asks for a model and a data set, which have no default", () => {
    expect(() => resolveTrainOptions([])).toThrow("train needs --model-name-or-path: checkpoint folder");
    expect(() => resolveTrainOptions([flags({ modelNameOrPath: "m" })])).toThrow(
      "train needs --dataset: name of a data set",
    );
  });

  it("writes a file that gives the same options again", () => {
    const options = resolveTrainOptions([flags({ preset: "nano", delta: 3, gamma: 0.95, outputDir: "runs/a b" })]);
    const yaml = trainOptions.toYaml(options);
    expect(yaml).toContain("num_generations: 8\n");
    expect(resolveTrainOptions([file(parse(yaml))])).toEqual(options);
    expect(Object.keys(parse(yaml)).length).toBe(trainOptions.infos.size);
  });

  it.each([
    ["top_p", 1, 0.9, /it cuts the distribution that is sampled/],
    ["top_k", 0, 4, /use it in sample or eval/],
    ["min_p", 0, 0.1, /it cuts the distribution/],
    ["lora_dropout", 0, 0.1, /it is not implemented; leave it out/],
  ])("passes over %s at the default that an earlier version wrote, and refuses any other", (key, was, given, why) => {
    expect(resolveTrainOptions([model, file({ [key]: was })])).toEqual(resolveTrainOptions([model]));
    expect(() => resolveTrainOptions([model, file({ [key]: given })])).toThrow(
      `run.yaml: unknown option ${key} of train: `,
    );
    expect(() => resolveTrainOptions([model, file({ [key]: given })])).toThrow(why);
  });

  it("knows each preset by its file", () => {
    expect(Object.keys(presetFiles).sort()).toEqual(presetNames.map((name) => `../../presets/${name}.yaml`).sort());
  });

  it("has presets that are valid", () => {
    for (const name of presetNames)
      expect(resolveTrainOptions([model, flags({ preset: name })])).toMatchObject({
        ...presetOptions(name),
        modelNameOrPath: "m",
        dataset: "d.jsonl",
      });
  });
});

describe("the other commands", () => {
  it("take from a preset what they know", () => {
    expect(evalOptions.resolve([flags({ preset: "nano", evalSamples: 9 })])).toMatchObject({
      dataset: ["nano"],
      promptTemplate: "nano",
      evalSamples: 9,
      // An evaluation has its own number of answers per question.
      numGenerations: 1,
    });
    expect(sampleOptions.resolve([flags({ preset: "nano", prompt: ["1+1"] })]).prompt).toEqual(["1+1"]);
    expect(pretrainOptions.resolve([flags({ dataset: "nano" })])).toMatchObject({ lrSchedulerType: "cosine" });
    expect(() => sampleOptions.resolve([flags({ preset: "nano" })])).toThrow(
      "sample needs questions as arguments or with --prompt",
    );
  });

  it("plans the batch that a preset trains on", () => {
    expect(planOptions.resolve([flags({ modelNameOrPath: "m", preset: "dapo" })]).numGenerations).toBe(
      resolveTrainOptions([model, flags({ preset: "dapo" })]).numGenerations,
    );
  });

  // What the run would refuse is refused before anything is opened, and by plan too.
  it.each<[string, () => unknown, RegExp]>([
    ["train", () => trainOptions.resolve([model, flags({ dtype: "int8" })]), /--dtype is int8, whose weights/],
    ["sft", () => sftOptions.resolve([model, flags({ dtype: "int8" })]), /--dtype is int8, whose weights/],
    ["dpo", () => dpoOptions.resolve([model, flags({ loraR: 4 })]), /--lora-r is an option of adapters/],
    ["pretrain", () => pretrainOptions.resolve([flags({ dataset: "nano", useRslora: true })]), /--use-rslora is an/],
    [
      "pretrain",
      () => pretrainOptions.resolve([model, flags({ tokenizer: "t" })]),
      /--tokenizer is for new weights; m has its own/,
    ],
    [
      "pretrain",
      () => pretrainOptions.resolve([flags({ dataset: "nano", usePeft: true })]),
      /--use-peft needs --model-name-or-path/,
    ],
    [
      "plan",
      () => planOptions.resolve([flags({ modelNameOrPath: "m", usePeft: true, advantageEstimator: "gae" })]),
      /--use-peft is true, but a critic beside an adapter/,
    ],
    ["plan", () => planOptions.resolve([flags({ modelNameOrPath: "m", maxBinding: "2" })]), /"2" is no amount of/],
    ["train", () => trainOptions.resolve([model, flags({ gpuMemory: "24" })]), /"24" is no amount of memory/],
    ["train", () => trainOptions.resolve([model, flags({ systemPrompt: "x" })]), /--system-prompt needs --prompt-temp/],
    ["sft", () => sftOptions.resolve([model, flags({ loraDropout: 0.1 })]), /unknown option --lora-dropout of sft: it/],
  ])("%s refuses %s", (_, resolve, message) => {
    expect(resolve).toThrow(message);
    expect(resolve).toThrow(expect.objectContaining({ name: "UserError" }));
  });
});

describe("flags", () => {
  it("are read as what the option is", () => {
    expect(trainOptions.parseFlag("learningRate", "5e-6")).toBe(5e-6);
    expect(trainOptions.parseFlag("delta", "none")).toBeNull();
    expect(trainOptions.parseFlag("outputDir", "12")).toBe("12");
    expect(trainOptions.parseFlag("gradientCheckpointing", "false")).toBe(false);
    for (const text of ["", " ", "1e", "NaN", "Infinity"])
      expect(() => trainOptions.parseFlag("learningRate", text)).toThrow(
        /--learning-rate is .*expected a number of at least 0/,
      );
  });

  it("are lists where the option is one, with commas between", () => {
    expect(trainOptions.parseFlag("rewardFuncs", "torl, ./a b.mjs:x")).toEqual(["torl", "./a b.mjs:x"]);
    expect(trainOptions.parseFlag("rewardWeights", "1,-0.5, 2e-1")).toEqual([1, -0.5, 0.2]);
    expect(trainOptions.parseFlag("rewardWeights", "none")).toBeNull();
    expect(() => trainOptions.parseFlag("rewardWeights", "1,,2")).toThrow(
      '--reward-weights is "1,,2", expected numbers, or none',
    );
    expect(() => resolveTrainOptions([model, flags({ rewardFuncs: [""] })])).toThrow(
      /--reward-funcs is \[""\], expected/,
    );
    // A question may hold a comma.
    expect(sampleOptions.parseFlag("prompt", "1,2")).toBe("1,2");
  });

  it("all have a help text, a group and a default that is valid", () => {
    for (const info of trainOptions.infos.values()) {
      expect(info.help.length, info.key).toBeGreaterThan(10);
      expect(info.flag).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(info.defaultValue === undefined, info.key).toBe(["modelNameOrPath", "dataset"].includes(info.key));
    }
    expect(trainOptions.infos.get("evalSteps")).toMatchObject({
      kind: "integer",
      flag: "eval-steps",
      defaultValue: 0,
      nullable: false,
    });
    expect(trainOptions.infos.get("lossType")).toMatchObject({
      kind: "choice",
      choices: ["dapo", "grpo", "dr_grpo", "bnpo", "cispo", "sapo", "policy_gradient"],
    });
    expect(trainOptions.infos.get("maxGradNorm")).toMatchObject({ kind: "number", nullable: true, defaultValue: 1 });
  });
});

describe("nearest", () => {
  it("counts edits", () => {
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("btea", "beta")).toBe(1);
    expect(nearest("--larning-rate", ["--seed", "--learning-rate"])).toBe("--learning-rate");
    expect(nearest("x", [])).toBeUndefined();
  });
});
