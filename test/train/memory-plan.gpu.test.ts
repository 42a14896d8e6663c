/** The memory plan against what is allocated, and the sizes that it chooses. */

import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors";
import { DESKTOP_LIMITS } from "../../src/gpu/dry";
import { adapterTargets } from "../../src/model/adapter";
import type { ModelConfig } from "../../src/model/config";
import { Model, type ModelOptions } from "../../src/model/model";
import { hasSharedCritic } from "../../src/options/fields/critic";
import { parseMemory } from "../../src/options/fields/device-and-memory";
import { createDecoder } from "../../src/session/loaded-model";
import { createLearner } from "../../src/train/learner";
import { fitMemory, type MemoryOptions, memoryByKind, memoryLine, planMemory } from "../../src/train/memory-plan";
import { CONFIGS, modelContext, randomBatch, randomTensors } from "../support/reference/models";

const SIZES: MemoryOptions = {
  maxPromptLength: 24,
  maxCompletionLength: 40,
  numGenerations: 4,
  promptsPerStep: 3,
  concurrency: null,
  microBatchTokens: null,
  gradientCheckpointing: false,
  optim: "adamw",
  beta: 0,
  advantageEstimator: "grpo",
  critic: "separate",
};

const QWEN_HALF_BILLION: ModelConfig = {
  ...CONFIGS["qwen2, tied, biases"],
  hiddenSize: 896,
  intermediateSize: 4864,
  layerCount: 24,
  headCount: 14,
  kvHeadCount: 2,
  headDim: 64,
  vocabularySize: 151936,
  maxPositions: 32768,
};

const LONG: MemoryOptions = {
  ...SIZES,
  maxPromptLength: 512,
  maxCompletionLength: 1536,
  numGenerations: 8,
  promptsPerStep: 16,
};

describe.each([
  ["llama, tied", {}, SIZES],
  ["qwen2, tied, biases", { storage: "bf16" }, { ...SIZES, gradientCheckpointing: true }],
  [
    "qwen3, untied, head norms, wide heads",
    { storage: "int4", trained: { rank: 8, alpha: 8, targets: adapterTargets } },
    { ...SIZES, concurrency: 5, microBatchTokens: 100 },
  ],
  ["llama, tied", {}, { ...SIZES, optim: "adamw_8bit" }],
  ["llama, tied", {}, { ...SIZES, beta: 0.1 }],
  ["qwen2, tied, biases", { storage: "bf16" }, { ...SIZES, advantageEstimator: "gae", beta: 0.1 }],
  ["llama, tied", {}, { ...SIZES, advantageEstimator: "gae", critic: "shared" }],
] as const satisfies readonly (readonly [keyof typeof CONFIGS, ModelOptions, MemoryOptions])[])(
  "%s, %j",
  (name, modelOptions, options) => {
    test("the plan is what is allocated, to the byte", async () => {
      const gpu = await modelContext();
      const config: ModelConfig = {
        ...CONFIGS[name],
        ...(hasSharedCritic(options) ? { valueHead: "shared" } : {}),
      };
      const before = gpu.allocator.bytesByLabel();
      const plan = planMemory(CONFIGS[name], modelOptions, options, gpu.profile.limits);
      const model = new Model(gpu, config, 64, modelOptions);
      for (const tensor of randomTensors(config)) model.upload(tensor);
      const learner = createLearner(model, options);
      const { pass, optimizer } = learner;
      const decoder = createDecoder({ model }, options, 12);
      const made = new Map(
        [...gpu.allocator.bytesByLabel()].map(([label, bytes]) => [label, bytes - (before.get(label) ?? 0)]),
      );
      const actual = memoryByKind(made);
      const { other, ...planned } = plan.bytes;
      expect(actual).toMatchObject(planned);
      expect(Object.values(plan.bytes).reduce((sum, bytes) => sum + bytes, 0)).toBe(plan.total);

      // After a step: only readback buffers come on top.
      pass.clearGradients();
      const { logprobs } = await pass.forward(randomBatch(config, [64, 9]), 1);
      pass.backward(new Float32Array(logprobs.length).fill(0.1));
      await optimizer.update(pass.gradients, {
        learningRate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 0,
        maxNorm: 1,
      });
      const after = [...gpu.allocator.bytesByLabel()].reduce(
        (sum, [label, bytes]) => sum + bytes - (before.get(label) ?? 0),
        0,
      );
      const counted = plan.total - (plan.bytes.other - (actual.other ?? 0));
      expect(Math.abs(after - counted) / counted).toBeLessThan(0.05);
      for (const part of [learner, decoder, model]) part.destroy();
    });
  },
);

test("moments of 8 bits take 2 bytes and 8 / 256 a value", () => {
  const optimizer = (optim: MemoryOptions["optim"]) =>
    planMemory(QWEN_HALF_BILLION, {}, { ...LONG, optim }, DESKTOP_LIMITS).bytes.optimizer;
  // The partial sums of the norm, 4 bytes for 1024 values, are the same in both.
  const perValue = optimizer("adamw") / (8 + 4 / 1024);
  expect(optimizer("adamw_8bit") / perValue).toBeCloseTo(2 + 8 / 256 + 4 / 1024, 4);
});

describe("sizes for a given memory", () => {
  test.each([
    ["24GB", {}],
    ["80GB", {}],
    ["8GB", { storage: "int4", trained: { rank: 16, alpha: 32, targets: adapterTargets } }],
    ["12GB", {}],
  ] as const)("%s %j: the plan fits and takes most of what is usable", (memory, modelOptions) => {
    const bytes = parseMemory(memory);
    const plan = fitMemory(QWEN_HALF_BILLION, modelOptions, LONG, DESKTOP_LIMITS, bytes);
    console.log(memory, plan.sizes, memoryLine(plan.bytes));
    expect(plan.total).toBeLessThanOrEqual(bytes * 0.92);
    const { concurrency, microBatchTokens } = plan.sizes;
    const everything = concurrency === 128 && microBatchTokens !== null && microBatchTokens > 8192 - 64;
    if (!everything) expect(plan.total).toBeGreaterThan(bytes * 0.88);
  });

  test("sizes that are given are kept", () => {
    const given = { ...LONG, concurrency: 7, microBatchTokens: 3000, gradientCheckpointing: true };
    expect(fitMemory(QWEN_HALF_BILLION, {}, given, DESKTOP_LIMITS, parseMemory("24GB")).sizes).toEqual({
      concurrency: 7,
      microBatchTokens: 3000,
      gradientCheckpointing: true,
    });
  });

  test("too little memory: says what would do", () => {
    expect(() => fitMemory(QWEN_HALF_BILLION, {}, LONG, DESKTOP_LIMITS, parseMemory("6GB"))).toThrow(
      /needs at least [\d.]+ GiB of GPU memory and 5\.6 GiB are given/,
    );
  });

  test("small bindings cut matrices, and the plan follows", () => {
    const small = { ...DESKTOP_LIMITS, maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };
    const sizes = { ...LONG, concurrency: 4, microBatchTokens: 2048, gradientCheckpointing: true };
    const plan = planMemory(QWEN_HALF_BILLION, {}, sizes, small);
    expect(plan.bytes.weights).toBeGreaterThan(1.97e9);
    expect(() => planMemory(QWEN_HALF_BILLION, {}, { ...sizes, microBatchTokens: 8192 }, small)).toThrow(UserError);
  });
});

test.each([
  ["24GB", 24e9],
  ["24GiB", 24 * 2 ** 30],
  ["512 mib", 512 * 2 ** 20],
  ["1.5G", 1.5e9],
  ["1000K", 1e6],
])("%s is %d bytes", (text, bytes) => {
  expect(parseMemory(text)).toBe(bytes);
});

test.each(["24", "GB", "-1GB", "0GB", "24 bananas", ""])("%j is no amount of memory", (text) => {
  expect(() => parseMemory(text)).toThrow("expected for example 24GB");
});
