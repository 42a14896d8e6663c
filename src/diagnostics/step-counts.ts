/**
 * What one decode step and one optimizer step of a model cost in dispatches, submits and readbacks, and how long they
 * take: the numbers that must not creep up.
 */
import { at } from "../base/must";
import type { GpuContext } from "../gpu/context";
import { nanoConfig } from "../model/config";
import { initialWeights } from "../model/initialise";
import { Model } from "../model/model";
import { Optimizer } from "../model/optimizer";
import { TrainingPass } from "../model/policy-pass";
import { GpuDecoder } from "../rollout/decoder";

/** Counts of one step, and its seconds (median of some). */
export interface StepCounts {
  readonly name: string;
  readonly dispatches: number;
  readonly submits: number;
  readonly readbacks: number;
  readonly seconds: number;
  readonly tokens: number;
}

const SLOTS = 128;
const LENGTH = 32;
const PAGE_SIZE = 8;
const LOGITS_BYTES = 64 * 2 ** 20;
const REPEATS = 7;

/**
 * Measures the nano shape: a decode step of 128 sequences, and an optimizer step on 128 sequences of 32 tokens in one
 * micro-batch.
 */
export async function countSteps(gpu: GpuContext): Promise<StepCounts[]> {
  const config = nanoConfig({ vocabularySize: 272, eosId: 256 });
  const model = new Model(gpu, config, LENGTH);
  for (const tensor of initialWeights(config, 1)) model.upload(tensor);
  const decode = await countDecode(gpu, model);
  const optimize = await countOptimizer(gpu, model);
  model.destroy();
  return [decode, optimize];
}

async function countDecode(gpu: GpuContext, model: Model): Promise<StepCounts> {
  const pagesPerSlot = LENGTH / PAGE_SIZE;
  const decoder = new GpuDecoder(
    model,
    {
      slots: SLOTS,
      maxLength: LENGTH,
      pageSize: PAGE_SIZE,
      pages: SLOTS * pagesPerSlot,
      maxRows: SLOTS,
      logitsBytes: LOGITS_BYTES,
    },
    { temperature: 1, topK: 0, topP: 1, minP: 0, seed: [1, 2] },
  );
  const slots = Uint32Array.from({ length: SLOTS }, (_, slot) => slot);
  for (const slot of slots) {
    decoder.setTokens(slot, 0, Uint32Array.from([slot]));
    decoder.setPages(
      slot,
      Uint32Array.from({ length: pagesPerSlot }, (_, page) => slot * pagesPerSlot + page),
    );
  }
  let position = 0;
  const counts = await measure(gpu, "decode step, nano, 128 sequences", SLOTS, async () => {
    const positions = new Uint32Array(SLOTS).fill(position++);
    await decoder.enqueue({ slots, positions, sampleRows: slots, sampleSlots: slots, trajectoryIds: slots });
  });
  decoder.destroy();
  return counts;
}

async function countOptimizer(gpu: GpuContext, model: Model): Promise<StepCounts> {
  const rows = SLOTS * (LENGTH - 1);
  const pass = new TrainingPass(model, {
    rows,
    sequences: SLOTS,
    sequenceLength: LENGTH,
    pageSize: PAGE_SIZE,
    recompute: false,
    logitsBytes: LOGITS_BYTES,
  });
  const optimizer = new Optimizer(model);
  const batch = Array.from({ length: SLOTS }, (_, s) => ({
    ids: Uint32Array.from({ length: LENGTH }, (_, t) => (s * 7 + t * 11) % model.config.vocabularySize),
    scored: new Uint8Array(LENGTH).fill(1),
  }));
  const coefficients = new Float32Array(rows).fill(-1 / rows);
  const counts = await measure(gpu, "optimizer step, nano, 128 x 32 tokens", rows, async () => {
    pass.clearGradients();
    await pass.forward(batch, 1);
    pass.backward(coefficients);
    await optimizer.update(pass.gradients, {
      learningRate: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
      maxNorm: 1,
    });
  });
  for (const part of [pass, optimizer]) part.destroy();
  return counts;
}

/** The first call compiles and is not counted. */
async function measure(gpu: GpuContext, name: string, tokens: number, step: () => Promise<void>): Promise<StepCounts> {
  await step();
  const before = { ...gpu.recorder.counters };
  await step();
  const after = { ...gpu.recorder.counters };
  const times: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const begun = performance.now();
    await step();
    times.push((performance.now() - begun) / 1000);
  }
  times.sort((a, b) => a - b);
  return {
    name,
    dispatches: after.dispatches - before.dispatches,
    submits: after.submits - before.submits,
    readbacks: after.readbacks - before.readbacks,
    seconds: at(times, REPEATS >> 1),
    tokens,
  };
}
