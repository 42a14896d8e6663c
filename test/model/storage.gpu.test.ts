/**
 * Models whose matrices lie in fewer bits: they compute with exactly the values that are stored, and train through an
 * f32 master.
 */
import { describe, expect, test } from "vitest";
import { decodeWeights, encodeWeights } from "../../kernels/weight_storage";
import { Model } from "../../src/model/model";
import { Optimizer } from "../../src/model/optimizer";
import { TrainingPass } from "../../src/model/policy-pass";
import { ADAMW, expectReference, freed, randomModel } from "../support/passes";
import {
  bitsOf,
  CONFIGS,
  downloadAll,
  largestDifference,
  modelContext,
  modelOf,
  randomBatch,
  randomCoefficients,
  randomTensors,
  relativeNormError,
  shapeOf,
} from "../support/reference/models";
import { RowRunner } from "../support/reference/rows";
import { ReferenceModel } from "../support/reference/transformer";

const LENGTHS = [9, 1, 23];
const STEP = { ...ADAMW, weightDecay: 0.01 };

/** A few of the shapes: biases and tied weights, head norms and a separate head. */
const SHAPES = (["qwen2, tied, biases", "qwen3, untied, head norms, wide heads"] as const).map(
  (name) => [name, CONFIGS[name]] as const,
);

describe.each(["f16", "bf16", "int8", "int4"] as const)("%s", (storage) => {
  test.each(SHAPES)("log-probs are those of the stored values, sampling and training alike: %s", async (_, config) => {
    const { model, tensors } = await randomModel(config, { storage, trained: "nothing", maxBindingBytes: 65536 });
    const batch = randomBatch(config, LENGTHS);
    const stored = await Promise.all(
      tensors.map(async (tensor) => ({ ...tensor, data: await model.weights.download(tensor.hfName) })),
    );
    for (const { hfName, shape, data } of stored)
      if (shape.length === 1) expect(data).toEqual(tensors.find((tensor) => tensor.hfName === hfName)?.data);
    const pass = freed(new TrainingPass(model, shapeOf(batch)));
    const { logprobs } = await pass.forward(batch, 1);
    expect(largestDifference(logprobs, new ReferenceModel(config, stored).forward(batch).logprobs)).toBeLessThan(2e-5);

    const [long] = [...batch].sort((a, b) => b.ids.length - a.ids.length);
    const ids = long?.ids ?? new Uint32Array();
    const runner = freed(new RowRunner(model, 1, { slotLength: 24, pageSize: 8 }, [Uint32Array.of(2, 0, 1)]));
    runner.tables.setTokens(0, 0, ids);
    const sampled: number[] = [];
    for (let position = 0; position + 1 < ids.length; position++)
      sampled.push(...(await runner.logprobs([{ slot: 0, position }], 1)));
    const all = await pass.forward([{ ids, scored: Uint8Array.from(ids, (_, t) => Number(t > 0)) }], 1);
    expect(bitsOf(Float32Array.from(sampled))).toEqual(bitsOf(all.logprobs));
  });
});

describe.each(["f16", "bf16"] as const)("%s, trained", (storage) => {
  test("gradients are those at the rounded weights; steps are made in f32 and rounded", async () => {
    const config = CONFIGS["qwen2, tied, biases"];
    const { model, tensors } = await randomModel(config, { storage });
    const rounded = tensors.map((tensor) =>
      tensor.shape.length === 1
        ? tensor
        : { ...tensor, data: decodeWeights(storage, encodeWeights(storage, tensor.data), tensor.data.length) },
    );
    const batch = randomBatch(config, LENGTHS);
    const pass = freed(new TrainingPass(model, shapeOf(batch)));
    const optimizer = freed(new Optimizer(model));
    pass.clearGradients();
    const { logprobs } = await pass.forward(batch, 1);
    const coefficients = randomCoefficients(logprobs.length);
    pass.backward(coefficients);
    const reference = new ReferenceModel(config, rounded).forward(batch);
    const gradients = await downloadAll(pass.gradients);
    expectReference(gradients, reference.backward(coefficients));
    // What the rounding of the weights itself does to a gradient: bfloat16 has three bits less.
    const unrounded = new ReferenceModel(config, tensors).forward(batch).backward(coefficients);
    const errors = [...unrounded].map(([name, wanted]) => relativeNormError(gradients.get(name) ?? [], wanted));
    console.log(`${storage}: largest relative error of a gradient against unrounded weights ${Math.max(...errors)}`);
    expect(Math.max(...errors)).toBeLessThan(storage === "f16" ? 5e-3 : 4e-2);

    const before = await downloadAll(model.trained);
    for (const { hfName, data } of tensors)
      expect(bitsOf(before.get(hfName) ?? new Float32Array())).toEqual(bitsOf(data));
    for (let step = 0; step < 2; step++) expect(await optimizer.update(pass.gradients, STEP)).toBeGreaterThan(0);
    const master = await downloadAll(model.trained);
    const weights = await downloadAll(model.weights);
    for (const { hfName, shape, data } of tensors) {
      const values = master.get(hfName) ?? new Float32Array();
      expect(bitsOf(values), hfName).not.toEqual(bitsOf(data));
      const wanted =
        shape.length === 1 ? values : decodeWeights(storage, encodeWeights(storage, values), values.length);
      expect(bitsOf(weights.get(hfName) ?? new Float32Array()), hfName).toEqual(bitsOf(wanted));
    }
  });
});

test.each(["int8", "int4"] as const)("%s weights are not trained", async (storage) => {
  const gpu = await modelContext();
  expect(() => new Model(gpu, CONFIGS["llama, tied"], 8, { storage })).toThrow("cannot be trained");
});

test("a model whose tensors would share a block is refused", async () => {
  const gpu = await modelContext();
  const config = { ...CONFIGS["llama, tied"], hiddenSize: 20, headDim: 4, headCount: 5, kvHeadCount: 5 };
  expect(() => new Model(gpu, config, 8, { storage: "int8", trained: "nothing" })).toThrow("begins inside a block");
});

test("halves of one tensor leave the next one's alone, in whatever order they come", async () => {
  const gpu = await modelContext();
  // 20 x 20 values end inside a block of 32, and query, key and value are one matrix.
  const config = { ...CONFIGS["llama, tied"], hiddenSize: 20, headDim: 4, headCount: 5, kvHeadCount: 5 };
  const tensors = randomTensors(config);
  const model = freed(modelOf(gpu, config, [...tensors].reverse(), { storage: "bf16", trained: "nothing" }));
  for (const { hfName, shape, data } of tensors) {
    const wanted = shape.length === 1 ? data : decodeWeights("bf16", encodeWeights("bf16", data), data.length);
    expect(bitsOf(await model.weights.download(hfName)), hfName).toEqual(bitsOf(wanted));
  }
});
