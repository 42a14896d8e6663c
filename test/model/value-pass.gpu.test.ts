/**
 * Values and their gradients: against the f64 reference, against differences through the kernels, and whatever the
 * buffers look like.
 */
import { describe, expect, test } from "vitest";
import { adapterTargets } from "../../src/model/adapter";
import { type ModelConfig, VALUE_HEAD } from "../../src/model/config";
import type { CheckpointTensor } from "../../src/model/folder";
import { initialWeights } from "../../src/model/initialise";
import { countScored, microBatches } from "../../src/model/micro-batches";
import { Model } from "../../src/model/model";
import { Optimizer } from "../../src/model/optimizer";
import { TrainingPass, type TrainingSequence } from "../../src/model/policy-pass";
import { ValuePass } from "../../src/model/value-pass";
import { valueLoss } from "../../src/rl/value-loss";
import { ADAMW, expectClose, expectReference, freed, type Gradients, randomModel } from "../support/passes";
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
  randomTensors,
  relativeNormError,
  shapeOf,
} from "../support/reference/models";
import { at } from "../support/reference/tape";
import { ReferenceModel } from "../support/reference/transformer";

const LENGTHS = [9, 1, 40, 2, 17];

function critic(config: ModelConfig): ModelConfig {
  return { ...config, valueHead: "alone" };
}

function shared(config: ModelConfig): ModelConfig {
  return { ...config, valueHead: "shared" };
}

/**
 * Values and accumulated gradients on a fresh critic with weights of seed 1, in micro-batches of at most these sizes.
 */
async function passOver(
  config: ModelConfig,
  batch: readonly TrainingSequence[],
  coefficients: Float32Array,
  limits: { rows?: number; sequences?: number; recompute?: boolean; pageSize?: number } = {},
): Promise<{ values: Float32Array; gradients: Gradients; micro: number }> {
  const { model } = await randomModel(config);
  const pass = freed(new ValuePass(model, shapeOf(batch, limits)));
  const values: number[] = [];
  let micro = 0;
  pass.clearGradients();
  for (const sequences of microBatches(batch, pass)) {
    const done = values.length;
    values.push(...(await pass.forward(sequences)));
    pass.backward(coefficients.slice(done, values.length));
    micro++;
  }
  const gradients = await downloadAll(pass.gradients);
  return { values: Float32Array.from(values), gradients, micro };
}

describe.each(Object.entries(CONFIGS))("%s", (_, config) => {
  test("values and gradients of every tensor equal the f64 reference", async () => {
    const full = critic(config);
    const { model, tensors } = await randomModel(full);
    expect(tensors.map(({ hfName }) => hfName).slice(-2)).toEqual(["model.norm.weight", VALUE_HEAD]);
    const batch = randomBatch(full, LENGTHS);
    const earlierBatch = randomBatch(
      full,
      LENGTHS.map(() => 40),
      5,
    );
    const pass = freed(new ValuePass(model, shapeOf(earlierBatch)));
    // A larger batch before, so that what it left in the buffers would show.
    pass.backward(randomCoefficients((await pass.forward(earlierBatch)).length, 13));

    const expected = new ReferenceModel(full, tensors).values(batch);
    const values = await pass.forward(batch);
    expect(values.length).toBe(countScored(batch));
    expect(largestDifference(values, expected.values)).toBeLessThan(2e-5);
    const coefficients = randomCoefficients(values.length);
    pass.clearGradients();
    pass.backward(coefficients);
    const wanted = expected.backward(coefficients);
    const gradients = await downloadAll(pass.gradients);
    expect(gradients.has(VALUE_HEAD)).toBe(true);
    expectReference(gradients, wanted);
  });

  test("micro-batches and recomputation change nothing", async () => {
    const full = critic(config);
    const batch = randomBatch(full, LENGTHS);
    const coefficients = randomCoefficients(countScored(batch));
    const whole = await passOver(full, batch, coefficients);
    const split = await passOver(full, batch, coefficients, { rows: 40, pageSize: 8, recompute: true });
    expect(whole.micro).toBe(1);
    expect(split.micro).toBeGreaterThan(1);
    expect(bitsOf(split.values)).toEqual(bitsOf(whole.values));
    expectClose(split.gradients, whole.gradients);
  });
});

test("more scored rows than one chunk of the norm holds", async () => {
  const config = critic(CONFIGS["qwen3, untied, head norms, wide heads"]);
  const batch = randomBatch(
    config,
    Array.from({ length: 24 }, (_, i) => 64 - (i % 5)),
  );
  expect(countScored(batch)).toBeGreaterThan(2 * 400);
  const coefficients = randomCoefficients(countScored(batch));
  const whole = await passOver(config, batch, coefficients);
  const split = await passOver(config, batch, coefficients, { rows: 500 });
  expect(bitsOf(split.values)).toEqual(bitsOf(whole.values));
  expectClose(split.gradients, whole.gradients);
});

test("the value loss's gradient is its central difference through the kernels", async () => {
  const config = critic({ ...CONFIGS["qwen2, tied, biases"], layerCount: 2 });
  const { model, tensors } = await randomModel(config);
  const batch = randomBatch(config, [9, 1, 20, 2, 17]);
  const pass = freed(new ValuePass(model, shapeOf(batch)));
  const numbers = new Numbers(21);
  const first = await pass.forward(batch);
  const oldValues = first.map((value) => value + 0.4 * numbers.normal());
  const returns = first.map((value) => value + numbers.normal());
  const loss = (values: Float32Array) => valueLoss({ values, oldValues, returns, weight: 1 / first.length }, 0.3);
  const { coefficients, clipped, tokens } = loss(first);
  expect(clipped).toBeGreaterThan(0);
  expect(clipped).toBeLessThan(tokens);
  pass.clearGradients();
  pass.backward(Float32Array.from(coefficients));
  const gradients = await downloadAll(pass.gradients);
  // Along a random direction in all of one tensor's elements.
  const lossAt = async (tensor: CheckpointTensor, direction: Float32Array, by: number) => {
    model.upload({ ...tensor, data: tensor.data.map((value, i) => value + by * (direction[i] ?? 0)) });
    return loss(await pass.forward(batch)).loss;
  };
  for (const tensor of tensors) {
    const gradient = gradients.get(tensor.hfName) ?? new Float32Array();
    const norm = Math.hypot(...gradient);
    expect(norm, tensor.hfName).toBeGreaterThan(0);
    // The gradient's own direction, so that the difference stands well above f32's rounding.
    const direction = gradient.map((value) => value / norm);
    // A flat tensor takes a longer step, up to what the clip's kinks and the third order allow.
    const step = Math.min(1e-3 / norm, 0.05);
    // Richardson: the error of the second order falls away.
    const difference = async (h: number) =>
      ((await lossAt(tensor, direction, h)) - (await lossAt(tensor, direction, -h))) / (2 * h);
    const slope = (4 * (await difference(step)) - (await difference(2 * step))) / 3;
    model.upload(tensor);
    expect(Math.abs(slope / norm - 1), tensor.hfName).toBeLessThan(1e-3);
  }
});

describe("tokens that do not count", () => {
  const config = critic(CONFIGS["qwen2, tied, biases"]);

  test("without a scored token, without a row, or with coefficients of 0, gradients are exactly 0", async () => {
    const unscored = randomBatch(config, [5, 3]).map(({ ids }) => ({ ids, scored: new Uint8Array(ids.length) }));
    const batch = randomBatch(config, LENGTHS);
    for (const sequences of [unscored, randomBatch(config, [1, 1]), batch]) {
      const { gradients } = await passOver(config, sequences, new Float32Array(countScored(sequences)));
      for (const [name, gradient] of gradients)
        expect(
          gradient.every((value) => value === 0),
          name,
        ).toBe(true);
    }
  });

  test("unscored tokens after the last scored one change nothing", async () => {
    const batch = randomBatch(config, LENGTHS);
    const longer = batch.map(({ ids, scored }) => ({
      ids: Uint32Array.from([...ids, 5, 9, 33]),
      scored: Uint8Array.from([...scored, 0, 0, 0]),
    }));
    const coefficients = randomCoefficients(countScored(batch));
    const plain = await passOver(config, batch, coefficients);
    const padded = await passOver(config, longer, coefficients);
    expect(bitsOf(padded.values)).toEqual(bitsOf(plain.values));
    expectClose(padded.gradients, plain.gradients);
  });
});

describe("a value head on a shared trunk", () => {
  test.each(["llama, tied", "qwen3, untied, head norms, wide heads"] as const)(
    "%s: the gradient of both losses is the sum of the two",
    async (name) => {
      const config = shared(CONFIGS[name]);
      const batch = randomBatch(config, LENGTHS);
      const { model } = await randomModel(config);
      const coefficients = randomCoefficients(countScored(batch));
      const valueCoefficients = randomCoefficients(countScored(batch), 17);

      const training = freed(new TrainingPass(model, shapeOf(batch)));
      const both = freed(new ValuePass(model, training));
      const apart = freed(new ValuePass(model, shapeOf(batch)));
      expect(both.gradients).toBe(training.gradients);
      training.clearGradients();
      const { logprobs } = await training.forward(batch, 0.9);
      training.backward(coefficients);
      const policy = await downloadAll(training.gradients);
      expect(policy.get(VALUE_HEAD)?.every((value) => value === 0)).toBe(true);

      apart.clearGradients();
      const values = await apart.forward(batch);
      apart.backward(valueCoefficients);
      const value = await downloadAll(apart.gradients);
      const head = value.get("lm_head.weight");
      if (!config.tiedEmbeddings) expect(head?.every((element) => element === 0)).toBe(true);

      training.clearGradients();
      expect(bitsOf(await both.forward(batch))).toEqual(bitsOf(values));
      both.backward(valueCoefficients);
      expect(bitsOf((await training.forward(batch, 0.9)).logprobs)).toEqual(bitsOf(logprobs));
      training.backward(coefficients);
      for (const [hfName, sum] of await downloadAll(training.gradients)) {
        const wanted = Array.from(policy.get(hfName) ?? [], (element, i) => element + at(value.get(hfName) ?? [], i));
        expect(relativeNormError(sum, wanted), hfName).toBeLessThan(1e-6);
      }
    },
  );

  test("has the log-probs of the model without one", async () => {
    const config = CONFIGS["llama, untied, one key head, scaled rotations"];
    const batch = randomBatch(config, LENGTHS);
    const logprobs = [];
    for (const each of [config, shared(config)]) {
      const { model } = await randomModel(each);
      const pass = freed(new TrainingPass(model, shapeOf(batch)));
      logprobs.push(bitsOf((await pass.forward(batch, 1)).logprobs));
    }
    expect(logprobs[1]).toEqual(logprobs[0]);
  });
});

test("a critic that works on the buffers of the policy's pass gives the bits of one with its own", async () => {
  const gpu = await modelContext();
  const config = CONFIGS["qwen2, tied, biases"];
  const batch = randomBatch(config, LENGTHS);
  const policy = freed(modelOf(gpu, config, randomTensors(config, 2)));
  const model = freed(modelOf(gpu, critic(config), randomTensors(critic(config)), { label: "critic" }));
  const training = freed(new TrainingPass(policy, shapeOf(batch)));
  const pass = freed(new ValuePass(model, training));
  const coefficients = randomCoefficients(countScored(batch));
  training.clearGradients();
  await training.forward(batch, 1);
  training.backward(coefficients);
  const before = await downloadAll(training.gradients);
  const alone = await passOver(critic(config), batch, coefficients);
  pass.clearGradients();
  expect(bitsOf(await pass.forward(batch))).toEqual(bitsOf(alone.values));
  pass.backward(coefficients);
  for (const [name, gradient] of await downloadAll(pass.gradients))
    expect(bitsOf(gradient), name).toEqual(bitsOf(alone.gradients.get(name) ?? new Float32Array()));
  for (const [name, gradient] of await downloadAll(training.gradients))
    expect(bitsOf(gradient), name).toEqual(bitsOf(before.get(name) ?? new Float32Array()));
});

test("a new critic says 0, and learns its returns", async () => {
  const gpu = await modelContext();
  const config = critic(CONFIGS["llama, tied"]);
  const model = freed(modelOf(gpu, config, [...initialWeights(config, 4)]));
  const batch = randomBatch(config, LENGTHS);
  const pass = freed(new ValuePass(model, shapeOf(batch)));
  const optimizer = freed(new Optimizer(model));
  const oldValues = await pass.forward(batch);
  expect(oldValues.every((value) => value === 0)).toBe(true);
  const returns = randomCoefficients(oldValues.length);
  const losses: number[] = [];
  for (let step = 0; step < 12; step++) {
    const values = await pass.forward(batch);
    const { loss, coefficients } = valueLoss({ values, oldValues, returns, weight: 1 / values.length }, null);
    losses.push(loss);
    pass.clearGradients();
    pass.backward(Float32Array.from(coefficients));
    await optimizer.update(pass.gradients, { ...ADAMW, learningRate: 1e-2 });
  }
  expect(losses.at(-1)).toBeLessThan(0.5 * at(losses, 0));
});

test("misuse is refused", async () => {
  const gpu = await modelContext();
  const config = CONFIGS["llama, tied"];
  const batch = randomBatch(config, [5, 4]);
  const { model: plain } = await randomModel(config);
  const model = freed(modelOf(gpu, critic(config), randomTensors(critic(config))));
  expect(() => new ValuePass(plain, shapeOf(batch))).toThrow("no value head");
  expect(() => new TrainingPass(model, shapeOf(batch))).toThrow("the model is a critic");
  const adapter = { rank: 4, alpha: 4, targets: adapterTargets };
  expect(() => new Model(gpu, shared(config), 8, { trained: adapter })).toThrow("cannot be trained with an adapter");

  const pass = freed(new ValuePass(model, shapeOf(batch)));
  expect(() => pass.backward(new Float32Array(1))).toThrow("forward");
  await expect(pass.forward([...batch, ...batch])).rejects.toThrow("do not fit");
  const { length } = await pass.forward(batch);
  expect(() => pass.backward(new Float32Array(length + 1))).toThrow(`${length} values were computed`);
  pass.backward(new Float32Array(length));
  expect(() => pass.backward(new Float32Array(length))).toThrow("forward");

  // On one set of buffers the later forward is the one that can go back.
  const training = freed(new TrainingPass(plain, shapeOf(batch)));
  const onTraining = freed(new ValuePass(model, training));
  const { logprobs } = await training.forward(batch, 1);
  await onTraining.forward(batch);
  expect(() => training.backward(new Float32Array(logprobs.length))).toThrow("another forward pass");
  const wider = { ...critic(config), hiddenSize: 64 };
  const other = freed(modelOf(gpu, wider, []));
  expect(() => new ValuePass(other, training)).toThrow("hiddenSize is 64, but the buffers are for 32");
});

test("destroy gives all memory back, and a critic's buffers are told from the policy's", async () => {
  const gpu = await modelContext();
  const config = CONFIGS["qwen3, tied, narrow heads"];
  const batch = randomBatch(config, LENGTHS);
  const policy = modelOf(gpu, config, randomTensors(config));
  const training = new TrainingPass(policy, shapeOf(batch));
  const cycle = async (on: TrainingPass | undefined) => {
    const before = gpu.allocator.bytesByLabel();
    const model = modelOf(gpu, critic(config), randomTensors(critic(config)), { label: "critic" });
    const pass = new ValuePass(model, on ?? shapeOf(batch));
    const optimizer = new Optimizer(model, "adamw_8bit");
    const added = [...gpu.allocator.bytesByLabel()].filter(([label, bytes]) => bytes !== (before.get(label) ?? 0));
    pass.backward(new Float32Array((await pass.forward(batch)).length));
    for (const part of [pass, optimizer, model]) part.destroy();
    return added;
  };
  // The first pass makes the readback buffers, which stay.
  await cycle(undefined);
  const before = gpu.allocator.allocatedBytes;
  const own = await cycle(undefined);
  const used = await cycle(training);
  expect(gpu.allocator.allocatedBytes).toBe(before);
  const labels = own.map(([label]) => label);
  expect(labels.filter((label) => !label.startsWith("critic "))).toEqual([]);
  for (const part of [/^critic weights/, /^critic gradients/, /^critic AdamW/, /^critic activations/, /^critic rot/])
    expect(labels.some((label) => part.test(label))).toBe(true);
  expect(used.some(([label]) => /activations|workspace|pages/.test(label))).toBe(false);
  for (const part of [training, policy]) part.destroy();
});
