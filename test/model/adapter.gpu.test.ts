/** Low-rank adapters: nothing at first, the right gradients, nothing else trained, off and on. */
import { describe, expect, test } from "vitest";
import type { AdapterConfig } from "../../src/model/adapter";
import { adapterTargets } from "../../src/model/adapter";
import { initialAdapter } from "../../src/model/initialise";
import { Model } from "../../src/model/model";
import { Optimizer } from "../../src/model/optimizer";
import { TrainingPass } from "../../src/model/policy-pass";
import { ADAMW, freed, randomModel } from "../support/passes";
import {
  bitsOf,
  CONFIGS,
  downloadAll,
  largestDifference,
  modelContext,
  modelOf,
  Numbers,
  randomBatch,
  randomCoefficients,
  relativeNormError,
  shapeOf,
} from "../support/reference/models";
import { ReferenceModel } from "../support/reference/transformer";

const LENGTHS = [9, 1, 23, 2];
const ALL: AdapterConfig = { rank: 8, alpha: 12, targets: adapterTargets };

/** A model with an adapter of random values, and the same model with the adapter multiplied out in f64. */
async function adapted(
  name: keyof typeof CONFIGS,
  adapterConfig: AdapterConfig,
  options: { maxBindingBytes?: number } = {},
) {
  const gpu = await modelContext();
  const config = CONFIGS[name];
  const { model, tensors } = await randomModel(config, { trained: adapterConfig, ...options });
  const numbers = new Numbers(3);
  const values = new Map<string, Float32Array>();
  for (const { hfName, shape } of model.trained.layout.tensors) {
    const [rows = 0, columns = 0] = shape;
    const data = Float32Array.from({ length: rows * columns }, () => (0.5 * numbers.normal()) / Math.sqrt(columns));
    model.trained.upload({ hfName, shape, data });
    values.set(hfName, data);
  }
  const { rank } = adapterConfig;
  const scale = adapterConfig.alpha / (adapterConfig.useRslora ? Math.sqrt(rank) : rank);
  const reference = new ReferenceModel(config, tensors);
  for (const [hfName, up] of values) {
    if (!hfName.endsWith(".lora_B.weight")) continue;
    const down = values.get(hfName.replace(".lora_B.", ".lora_A.")) ?? new Float32Array();
    const matrix = reference.parameters.get(hfName.replace(".lora_B.", "."));
    if (matrix === undefined) throw new Error(`no matrix for ${hfName}`);
    for (let row = 0; row < matrix.rows; row++)
      for (let column = 0; column < matrix.columns; column++) {
        let sum = 0;
        for (let r = 0; r < rank; r++) sum += (up[row * rank + r] ?? 0) * (down[r * matrix.columns + column] ?? 0);
        const at = row * matrix.columns + column;
        matrix.data[at] = (matrix.data[at] ?? 0) + scale * sum;
      }
  }
  return { gpu, config, tensors, model, values, reference, scale, rank };
}

describe.each([
  ["llama, untied, one key head, scaled rotations", ALL, {}],
  ["qwen2, tied, biases", { rank: 4, alpha: 4, targets: ["q_proj", "v_proj", "down_proj"] }, {}],
  ["qwen3, untied, head norms, wide heads", ALL, {}],
  ["llama, tied", ALL, { maxBindingBytes: 2048 }],
  ["llama, tied", { ...ALL, rank: 6, useRslora: true }, {}],
] as const)("%s, %j, %j", (name, adapterConfig, options) => {
  test("log-probs and gradients of A and B equal the f64 reference with the adapter multiplied out", async () => {
    const { config, model, values, reference, scale, rank } = await adapted(name, adapterConfig, options);
    const batch = randomBatch(config, LENGTHS);
    const pass = freed(new TrainingPass(model, shapeOf(batch)));
    const expected = reference.forward(batch);
    pass.clearGradients();
    const { logprobs } = await pass.forward(batch, 1);
    expect(largestDifference(logprobs, expected.logprobs)).toBeLessThan(5e-5);
    const coefficients = randomCoefficients(logprobs.length);
    pass.backward(coefficients);
    const full = expected.backward(coefficients);
    const gradients = await downloadAll(pass.gradients);
    expect(gradients.size).toBe(2 * adapterConfig.targets.length * config.layerCount);
    for (const [hfName, gradient] of gradients) {
      const [module = "", part] = hfName.split(/\.lora_(?=[AB]\.)/);
      const dw = full.get(`${module}.weight`) ?? new Float64Array();
      const down = values.get(`${module}.lora_A.weight`) ?? new Float32Array();
      const up = values.get(`${module}.lora_B.weight`) ?? new Float32Array();
      const columns = down.length / rank;
      const rows = up.length / rank;
      const wanted = new Float64Array(gradient.length);
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) {
          const g = scale * (dw[row * columns + column] ?? 0);
          for (let r = 0; r < rank; r++) {
            const at = part === "A.weight" ? r * columns + column : row * rank + r;
            const other = part === "A.weight" ? up[row * rank + r] : down[r * columns + column];
            wanted[at] = (wanted[at] ?? 0) + g * (other ?? 0);
          }
        }
      expect(relativeNormError(gradient, wanted), hfName).toBeLessThan(2e-5);
    }
  });
});

test("a new adapter gives the base's bits, and so does one that is switched off", async () => {
  const { gpu, config, tensors, model } = await adapted("qwen2, tied, biases", ALL);
  const batch = randomBatch(config, LENGTHS);
  const base = freed(modelOf(gpu, config, tensors));
  const basePass = freed(new TrainingPass(base, shapeOf(batch)));
  const wanted = bitsOf((await basePass.forward(batch, 1)).logprobs);
  const pass = freed(new TrainingPass(model, shapeOf(batch)));
  expect(bitsOf((await pass.forward(batch, 1)).logprobs)).not.toEqual(wanted);
  model.useAdapter(false);
  expect(bitsOf((await pass.forward(batch, 1)).logprobs)).toEqual(wanted);
  model.useAdapter(true);
  if (model.adapter === undefined) throw new Error("the model has an adapter");
  for (const tensor of initialAdapter(model.adapter.layout, 5)) model.trained.upload(tensor);
  expect(bitsOf((await pass.forward(batch, 1)).logprobs)).toEqual(wanted);
});

test("a step changes the adapter and nothing else, over a base of four bits", async () => {
  const config = CONFIGS["llama, tied"];
  const { model } = await randomModel(config, { storage: "int4", trained: ALL });
  if (model.adapter === undefined) throw new Error("the model has an adapter");
  for (const tensor of initialAdapter(model.adapter.layout, 5)) model.trained.upload(tensor);
  const before = { base: await downloadAll(model.weights), adapter: await downloadAll(model.trained) };
  const batch = randomBatch(config, LENGTHS);
  const pass = freed(new TrainingPass(model, shapeOf(batch)));
  const optimizer = freed(new Optimizer(model));
  const losses: number[] = [];
  for (let step = 0; step < 8; step++) {
    pass.clearGradients();
    const { logprobs } = await pass.forward(batch, 1);
    losses.push(-logprobs.reduce((sum, value) => sum + value, 0));
    pass.backward(new Float32Array(logprobs.length).fill(-1));
    await optimizer.update(pass.gradients, { ...ADAMW, learningRate: 1e-2 });
  }
  expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] ?? 0));
  for (const [name, values] of await downloadAll(model.weights))
    expect(bitsOf(values), name).toEqual(bitsOf(before.base.get(name) ?? new Float32Array()));
  for (const [name, values] of await downloadAll(model.trained))
    expect(bitsOf(values), name).not.toEqual(bitsOf(before.adapter.get(name) ?? new Float32Array()));
});

test.each([
  [{ rank: 2.5, alpha: 1, targets: adapterTargets }, "whole number"],
  [{ rank: 0, alpha: 1, targets: adapterTargets }, "whole number"],
  [{ rank: 4, alpha: 1, targets: [] }, "no target"],
] as const)("%j is refused", async (config, message) => {
  const gpu = await modelContext();
  expect(() => new Model(gpu, CONFIGS["llama, tied"], 8, { trained: config })).toThrow(message);
});
