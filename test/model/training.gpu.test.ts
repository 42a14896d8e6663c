/**
 * What a training pass must keep whatever its buffers look like: recomputation, chunks, shards, micro-batches and
 * unscored tokens.
 */
import { describe, expect, test } from "vitest";
import type { ModelConfig } from "../../src/model/config";
import { Head } from "../../src/model/head";
import { Optimizer } from "../../src/model/optimizer";
import { TrainingPass, type TrainingSequence, type TrainingShape } from "../../src/model/policy-pass";
import { sharedPrefixes } from "../../src/model/sequences";
import { ADAMW, expectClose, expectSameBits, expectZero, freed, type Gradients, randomModel } from "../support/passes";
import {
  bitsOf,
  CONFIGS,
  downloadAll,
  modelContext,
  modelOf,
  randomBatch,
  randomCoefficients,
  randomTensors,
  shapeOf,
} from "../support/reference/models";

const LENGTHS = [9, 1, 40, 2, 17];

interface Variant {
  shape?: Partial<TrainingShape>;
  maxBindingBytes?: number;
  vocabulary?: number;
  coefficients?: Float32Array;
  /** Sizes of the micro-batches in sequences; all together unless given. */
  split?: readonly number[];
}

/** Log-probs and accumulated gradients of a batch on a fresh model with weights of seed 1. */
async function passOver(
  config: ModelConfig,
  batch: readonly TrainingSequence[],
  variant: Variant = {},
): Promise<{ logprobs: Float32Array; gradients: Gradients }> {
  const { model } = await randomModel(config, variant);
  const pass = freed(new TrainingPass(model, shapeOf(batch, variant.shape)));
  pass.clearGradients();
  const logprobs: number[] = [];
  const total = batch.reduce((sum, { scored }) => sum + scored.filter((flag) => flag !== 0).length, 0);
  const coefficients = variant.coefficients ?? randomCoefficients(total);
  let begin = 0;
  for (const size of variant.split ?? [batch.length]) {
    const statistics = await pass.forward(batch.slice(begin, begin + size), 0.9);
    begin += size;
    const done = logprobs.length;
    logprobs.push(...statistics.logprobs);
    pass.backward(coefficients.slice(done, logprobs.length));
  }
  expect(logprobs.length).toBe(coefficients.length);
  const gradients = await downloadAll(pass.gradients);
  return { logprobs: Float32Array.from(logprobs), gradients };
}

describe.each(Object.entries(CONFIGS))("%s", (_, config) => {
  test("recomputed activations give the same bits", async () => {
    const batch = randomBatch(config, LENGTHS);
    const kept = await passOver(config, batch);
    const recomputed = await passOver(config, batch, { shape: { recompute: true } });
    expect(bitsOf(recomputed.logprobs)).toEqual(bitsOf(kept.logprobs));
    expectSameBits(recomputed.gradients, kept.gradients);
  });

  test("micro-batches accumulate to the whole batch", async () => {
    const batch = randomBatch(config, LENGTHS);
    const whole = await passOver(config, batch);
    const split = await passOver(config, batch, { split: [2, 3], shape: { pageSize: 8 } });
    expect(bitsOf(split.logprobs)).toEqual(bitsOf(whole.logprobs));
    expectClose(split.gradients, whole.gradients);
  });
});

describe.each(Object.entries(CONFIGS))("a prompt that sequences share, %s", (_, config) => {
  test.each([4, 8])("pages of %d: the log-probs to the bit and the gradients of each alone", async (pageSize) => {
    const [prompt, ...others] = randomBatch(config, [19, 7, 30, 1, 12, 5]);
    if (prompt === undefined) throw new Error("no prompt");
    const asked = (ids: Uint32Array, scored: number) => ({
      ids: Uint32Array.from([...prompt.ids, ...ids]),
      scored: Uint8Array.from([...prompt.ids, ...ids], (_, t) => Number(t >= prompt.ids.length + scored)),
    });
    const answers = others.map(({ ids }, i) => asked(ids, i % 2));
    const batch = [...answers.slice(0, 3), ...others.slice(0, 2), ...answers.slice(3)];
    expect(sharedPrefixes(batch, pageSize).filter(({ leader }, i) => leader !== i)).toHaveLength(3);
    const together = await passOver(config, batch, { shape: { pageSize } });
    const alone = await passOver(config, batch, { split: batch.map(() => 1), shape: { pageSize } });
    expect(bitsOf(together.logprobs)).toEqual(bitsOf(alone.logprobs));
    expectClose(together.gradients, alone.gradients);
  });
});

test("a backward pass recorded before the log-probs are back gives the same bits", async () => {
  const config = CONFIGS["qwen2, tied, biases"];
  const batch = randomBatch(config, LENGTHS);
  const waited = await passOver(config, batch, { split: [2, 3] });
  const coefficients = randomCoefficients(waited.logprobs.length);
  const { model } = await randomModel(config);
  const pass = freed(new TrainingPass(model, shapeOf(batch)));
  pass.clearGradients();
  const pending: Promise<{ logprobs: Float32Array }>[] = [];
  let done = 0;
  for (const sequences of [batch.slice(0, 2), batch.slice(2)]) {
    pending.push(pass.forward(sequences, 0.9));
    const count = sequences.reduce((sum, { scored }) => sum + scored.filter((flag) => flag !== 0).length, 0);
    pass.backward(coefficients.slice(done, done + count));
    done += count;
  }
  const logprobs = (await Promise.all(pending)).flatMap((statistics) => [...statistics.logprobs]);
  expect(bitsOf(Float32Array.from(logprobs))).toEqual(bitsOf(waited.logprobs));
  expectSameBits(await downloadAll(pass.gradients), waited.gradients);
});

describe("the head in chunks", () => {
  test.each(["llama, tied", "qwen3, untied, head norms, wide heads"] as const)("%s", async (name) => {
    const config = CONFIGS[name];
    const batch = randomBatch(config, [40, 40, 1, 40, 40, 37]);
    const scored = batch.reduce((sum, sequence) => sum + sequence.scored.filter((flag) => flag !== 0).length, 0);
    expect(scored).toBeGreaterThan(64);
    const whole = await passOver(config, batch);
    // Any limit below gives the smallest chunk, 64 rows.
    const chunked = await passOver(config, batch, { shape: { logitsBytes: 16 } });
    expect(bitsOf(chunked.logprobs)).toEqual(bitsOf(whole.logprobs));
    expectClose(chunked.gradients, whole.gradients);
    const recomputed = await passOver(config, batch, { shape: { logitsBytes: 16, recompute: true } });
    expectSameBits(recomputed.gradients, chunked.gradients);
  });
});

test("a chunk of logits stays within its bytes, and is at least the alignment", async () => {
  const gpu = await modelContext();
  const model = freed(modelOf(gpu, CONFIGS["llama, tied"], []));
  const rowBytes = 64 * 4;
  for (const [limit, rows] of [
    [rowBytes * 63.5, 64],
    [rowBytes * 127.5, 64],
    [rowBytes * 128, 128],
    [rowBytes * 200, 192],
    [rowBytes * 5000, 1024],
  ] as const) {
    const head = freed(new Head(model, 1000, limit, "test head"));
    expect(head.stride * 4).toBe(rowBytes);
    expect(head.chunkRows, `${limit} bytes`).toBe(rows);
    expect(head.logits.size).toBeLessThanOrEqual(Math.max(limit, 64 * rowBytes));
  }
});

describe("parameters in shards", () => {
  test.each([
    ["llama, tied", 2048],
    ["llama, untied, one key head, scaled rotations", 2048],
    // 64 rows: shards of a matrix with biases begin where a binding of the bias may.
    ["qwen2, tied, biases", 64 * 48 * 4],
    ["qwen3, untied, head norms, wide heads", 2048],
  ] as const)("%s", async (name, maxBindingBytes) => {
    const gpu = await modelContext();
    const config = CONFIGS[name];
    const batch = randomBatch(config, LENGTHS);
    const whole = await passOver(config, batch);
    const model = freed(modelOf(gpu, config, [], { maxBindingBytes }));
    expect(model.layout.embedding.shards.length).toBeGreaterThan(1);
    expect(model.layout.layers[0]?.gateUp.shards.length).toBeGreaterThan(1);
    if (config.attentionBias) expect(model.layout.layers[0]?.qkv.shards.length).toBeGreaterThan(1);
    const cut = await passOver(config, batch, { maxBindingBytes });
    expect(bitsOf(cut.logprobs)).toEqual(bitsOf(whole.logprobs));
    expectClose(cut.gradients, whole.gradients);
  });
});

describe("tokens that do not count", () => {
  const config = CONFIGS["qwen2, tied, biases"];

  test("coefficients of 0 give gradients of exactly 0", async () => {
    const batch = randomBatch(config, LENGTHS);
    const count = batch.reduce((sum, { scored }) => sum + scored.filter((flag) => flag !== 0).length, 0);
    const { gradients } = await passOver(config, batch, { coefficients: new Float32Array(count) });
    expectZero(gradients);
  });

  test("a batch without a scored token, and one without a row, give gradients of exactly 0", async () => {
    const unscored = randomBatch(config, [5, 3]).map(({ ids }) => ({ ids, scored: new Uint8Array(ids.length) }));
    expectZero((await passOver(config, unscored)).gradients);
    expectZero((await passOver(config, randomBatch(config, [1, 1]))).gradients);
  });

  test("unscored tokens after the last scored one change nothing", async () => {
    const batch = randomBatch(config, LENGTHS);
    const longer = batch.map(({ ids, scored }) => ({
      ids: Uint32Array.from([...ids, 5, 9, 33]),
      scored: Uint8Array.from([...scored, 0, 0, 0]),
    }));
    const plain = await passOver(config, batch);
    const padded = await passOver(config, longer);
    expect(bitsOf(padded.logprobs)).toEqual(bitsOf(plain.logprobs));
    expectClose(padded.gradients, plain.gradients);
  });

  test("a coefficient of 0 is the same as a token that is not scored", async () => {
    const batch = randomBatch(config, LENGTHS);
    const all = batch.map(({ ids }) => ({ ids, scored: new Uint8Array(ids.length).fill(1) }));
    const flags = batch.flatMap(({ scored }) => [...scored].slice(1));
    const values = randomCoefficients(flags.filter((flag) => flag !== 0).length);
    let next = 0;
    const coefficients = Float32Array.from(flags, (flag) => (flag === 0 ? 0 : (values[next++] ?? Number.NaN)));
    const masked = await passOver(config, batch, { coefficients: values });
    // The first token of a sequence has no log-prob, whatever its flag says.
    const zeroed = await passOver(config, all.map(withoutFirst), { coefficients });
    expect(bitsOf(zeroed.logprobs.filter((_, i) => flags[i] !== 0))).toEqual(bitsOf(masked.logprobs));
    expectClose(zeroed.gradients, masked.gradients);
  });

  test("padded rows of the vocabulary get no gradient", async () => {
    const vocabulary = 59;
    const batch = randomBatch(config, LENGTHS, 7, vocabulary);
    const { gradients } = await passOver(config, batch, { vocabulary });
    const embedding = gradients.get("model.embed_tokens.weight") ?? new Float32Array();
    const used = vocabulary * config.hiddenSize;
    expect(embedding.subarray(0, used).some((value) => value !== 0)).toBe(true);
    expect(embedding.subarray(used).length).toBe((config.vocabularySize - vocabulary) * config.hiddenSize);
    expect(embedding.subarray(used).every((value) => value === 0)).toBe(true);
  });
});

function withoutFirst({ ids, scored }: TrainingSequence): TrainingSequence {
  return { ids, scored: scored.map((flag, position) => (position === 0 ? 0 : flag)) };
}

test("misuse is refused", async () => {
  const config = CONFIGS["llama, tied"];
  const batch = randomBatch(config, [5, 4]);
  const { model } = await randomModel(config);
  const pass = freed(new TrainingPass(model, shapeOf(batch)));
  expect(() => pass.backward(new Float32Array(1))).toThrow("forward");
  await expect(pass.forward([...batch, ...batch], 1)).rejects.toThrow("do not fit");
  const { logprobs } = await pass.forward(batch, 1);
  expect(() => pass.backward(new Float32Array(logprobs.length + 1))).toThrow(`${logprobs.length} tokens were scored`);
  pass.backward(new Float32Array(logprobs.length));
  expect(() => pass.backward(new Float32Array(logprobs.length))).toThrow("forward");
});

test("dispatches, submits and readbacks of one training step of a two-layer tied Llama", async () => {
  const gpu = await modelContext();
  const config = CONFIGS["llama, tied"];
  const batch = randomBatch(config, LENGTHS);
  const { model } = await randomModel(config);
  const pass = freed(new TrainingPass(model, shapeOf(batch)));
  const optimizer = freed(new Optimizer(model));
  const step = async () => {
    pass.clearGradients();
    const { logprobs } = await pass.forward(batch, 1);
    pass.backward(randomCoefficients(logprobs.length));
    await optimizer.update(pass.gradients, ADAMW);
  };
  await step();
  const before = { ...gpu.recorder.counters };
  await step();
  const after = gpu.recorder.counters;
  const spent = {
    dispatches: after.dispatches - before.dispatches,
    submits: after.submits - before.submits,
    readbacks: after.readbacks - before.readbacks,
    bindGroups: after.bindGroups - before.bindGroups,
  };
  console.log(`One training step, 2 layers: ${JSON.stringify(spent)}`);
  // Forward 1 + 9 per layer + 4 in the head, backward 7 in the head + 19 per layer + 1, optimizer 3.
  expect(spent).toEqual({ dispatches: 23 + 46 + 3, submits: 3, readbacks: 2, bindGroups: 0 });
});

test("destroy gives all memory back, and recomputation needs less of it", async () => {
  const gpu = await modelContext();
  const config = CONFIGS["qwen3, tied, narrow heads"];
  const batch = randomBatch(config, LENGTHS);
  const cycle = async (recompute: boolean) => {
    const before = gpu.allocator.allocatedBytes;
    const model = modelOf(gpu, config, randomTensors(config));
    const pass = new TrainingPass(model, shapeOf(batch, { recompute }));
    const optimizer = new Optimizer(model);
    const used = gpu.allocator.allocatedBytes - before;
    await pass.forward(batch, 1);
    for (const part of [pass, optimizer, model]) part.destroy();
    return used;
  };
  // The first pass makes the readback buffers, which stay.
  const kept = await cycle(false);
  const before = gpu.allocator.allocatedBytes;
  const recomputed = await cycle(true);
  expect(gpu.allocator.allocatedBytes).toBe(before);
  expect(recomputed).toBeLessThan(kept);
});
