/** The batched forward pass of a reference model: the bits of the training pass, in less memory. */
import { describe, expect, test } from "vitest";
import { adapterTargets } from "../../src/model/adapter";
import { countScored, microBatches } from "../../src/model/micro-batches";
import { ForwardPass, TrainingPass } from "../../src/model/policy-pass";
import { freed, randomModel } from "../support/passes";
import {
  bitsOf,
  CONFIGS,
  modelContext,
  modelOf,
  Numbers,
  randomBatch,
  randomTensors,
  shapeOf,
} from "../support/reference/models";

const LENGTHS = [9, 1, 40, 2, 17, 33, 40, 28];

describe.each(Object.entries(CONFIGS))("%s", (_, config) => {
  test.each([
    { logitsBytes: 2 ** 24, pageSize: 4, temperature: 1 },
    // The smallest chunk, 64 rows of logits.
    { logitsBytes: 16, pageSize: 8, temperature: 0.7 },
  ])("gives the bits of TrainingPass with $logitsBytes bytes of logits", async ({ temperature, ...sizes }) => {
    const batch = randomBatch(config, LENGTHS);
    const { model } = await randomModel(config, { trained: "nothing" });
    const { model: trained } = await randomModel(config);
    const training = freed(new TrainingPass(trained, shapeOf(batch)));
    const pass = freed(new ForwardPass(model, shapeOf(batch, sizes)));
    expect(countScored(batch)).toBeGreaterThan(64);
    // A batch before, so that what it left in the buffers would show.
    await pass.forward(randomBatch(config, LENGTHS, 5), 1);
    const expected = await training.forward(batch, temperature);
    const actual = await pass.forward(batch, temperature);
    expect(actual.logprobs.length).toBe(countScored(batch));
    expect(bitsOf(actual.logprobs)).toEqual(bitsOf(expected.logprobs));
    expect(bitsOf(actual.entropies)).toEqual(bitsOf(expected.entropies));
    expect(actual.greedy).toEqual(expected.greedy);
  });
});

test("micro-batches give the bits of the whole batch", async () => {
  const config = CONFIGS["qwen2, tied, biases"];
  const batch = randomBatch(config, LENGTHS);
  const { model } = await randomModel(config);
  const whole = freed(new ForwardPass(model, shapeOf(batch)));
  const small = freed(new ForwardPass(model, { ...shapeOf(batch), rows: 50, sequences: 3 }));
  const parts = [...microBatches(batch, small)];
  expect(parts.length).toBeGreaterThan(2);
  const logprobs: number[] = [];
  for (const part of parts) logprobs.push(...(await small.forward(part, 0.9)).logprobs);
  expect(bitsOf(Float32Array.from(logprobs))).toEqual(bitsOf((await whole.forward(batch, 0.9)).logprobs));
  await expect(small.forward(batch, 0.9)).rejects.toThrow("do not fit");
});

test("with the adapter switched off, the model's log-probs are those of the base, while it trains", async () => {
  const gpu = await modelContext();
  const config = CONFIGS["qwen3, tied, narrow heads"];
  const batch = randomBatch(config, LENGTHS);
  const { model: base } = await randomModel(config, { trained: "nothing" });
  const model = freed(
    modelOf(gpu, config, randomTensors(config), {
      trained: { rank: 8, alpha: 16, targets: adapterTargets },
    }),
  );
  const numbers = new Numbers(3);
  for (const { hfName, shape } of model.trained.layout.tensors) {
    const length = shape.reduce((product, size) => product * size, 1);
    model.trained.upload({ hfName, shape, data: Float32Array.from({ length }, () => 0.1 * numbers.normal()) });
  }
  const basePass = freed(new ForwardPass(base, shapeOf(batch)));
  const pass = freed(new ForwardPass(model, shapeOf(batch)));
  const training = freed(new TrainingPass(model, shapeOf(batch)));
  const wanted = bitsOf((await basePass.forward(batch, 1)).logprobs);
  const adapted = await training.forward(batch, 1);
  expect(bitsOf(adapted.logprobs)).not.toEqual(wanted);
  expect(bitsOf((await pass.forward(batch, 1)).logprobs)).toEqual(bitsOf(adapted.logprobs));
  model.useAdapter(false);
  expect(bitsOf((await pass.forward(batch, 1)).logprobs)).toEqual(wanted);
});

test("keeps no activations, and destroy gives all memory back", async () => {
  const gpu = await modelContext();
  const config = CONFIGS["llama, untied, one key head, scaled rotations"];
  const batch = randomBatch(config, LENGTHS);
  const model = modelOf(gpu, config, randomTensors(config));
  const cycle = async (make: () => ForwardPass | TrainingPass) => {
    const before = gpu.allocator.allocatedBytes;
    const pass = make();
    const used = gpu.allocator.allocatedBytes - before;
    await pass.forward(batch, 1);
    pass.destroy();
    return used;
  };
  // The first pass makes the readback buffers, which stay.
  const training = await cycle(() => new TrainingPass(model, shapeOf(batch, { recompute: true })));
  const before = gpu.allocator.allocatedBytes;
  const forward = await cycle(() => new ForwardPass(model, shapeOf(batch)));
  expect(gpu.allocator.allocatedBytes).toBe(before);
  expect(forward).toBeLessThan(training / 2);
  model.destroy();
});
