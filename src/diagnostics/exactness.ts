/**
 * Whether this device keeps the promise that log-probs while sampling equal those in training, bit for bit: a small
 * random model is sampled and scored.
 */
import { at } from "../base/must";
import type { GpuContext } from "../gpu/context";
import type { ModelConfig } from "../model/config";
import { initialWeights } from "../model/initialise";
import { Model } from "../model/model";
import { TrainingPass } from "../model/policy-pass";
import { GpuDecoder } from "../rollout/decoder";

const SEQUENCES = 6;
const PROMPT = 5;
const LENGTH = 40;
const PAGE_SIZE = 8;
const TEMPERATURE = 0.8;
const LOGITS_BYTES = 2 ** 20;

const CONFIG: ModelConfig = {
  architecture: "qwen3",
  hiddenSize: 48,
  intermediateSize: 96,
  layerCount: 2,
  headCount: 4,
  kvHeadCount: 2,
  headDim: 16,
  vocabularySize: 150,
  rmsNormEpsilon: 1e-6,
  ropeTheta: 10000,
  maxPositions: LENGTH,
  tiedEmbeddings: false,
  attentionBias: false,
  qkNorm: true,
  eosTokenIds: [],
};

/** Token log-probs compared, and how many differ in any bit. */
export interface ExactnessResult {
  readonly tokens: number;
  readonly unequal: number;
}

/**
 * Samples ragged sequences one row at a time beside prefill rows of others, then scores them whole in one training
 * forward pass.
 */
export async function checkExactness(gpu: GpuContext): Promise<ExactnessResult> {
  const model = new Model(gpu, CONFIG, LENGTH);
  for (const tensor of initialWeights(CONFIG, 1)) model.upload(tensor);
  const pagesPerSlot = LENGTH / PAGE_SIZE;
  const decoder = new GpuDecoder(
    model,
    {
      slots: SEQUENCES,
      maxLength: LENGTH,
      pageSize: PAGE_SIZE,
      pages: SEQUENCES * pagesPerSlot,
      maxRows: SEQUENCES * PROMPT,
      logitsBytes: LOGITS_BYTES,
    },
    { temperature: TEMPERATURE, topK: 0, topP: 1, minP: 0, seed: [1, 2] },
  );
  const pass = new TrainingPass(model, {
    rows: SEQUENCES * LENGTH,
    sequences: SEQUENCES,
    sequenceLength: LENGTH,
    pageSize: PAGE_SIZE,
    recompute: false,
    logitsBytes: LOGITS_BYTES,
  });
  try {
    const sampled = await sampleAll(decoder, pagesPerSlot);
    const { logprobs } = await pass.forward(
      sampled.map(({ ids }) => ({
        ids: Uint32Array.from(ids),
        scored: Uint8Array.from(ids, (_, t) => Number(t >= PROMPT)),
      })),
      TEMPERATURE,
    );
    const before = new Uint32Array(Float32Array.from(sampled.flatMap((sequence) => sequence.logprobs)).buffer);
    const after = new Uint32Array(logprobs.buffer);
    return { tokens: after.length, unequal: after.reduce((sum, bits, t) => sum + Number(bits !== before[t]), 0) };
  } finally {
    for (const part of [decoder, pass, model]) part.destroy();
  }
}

/**
 * Sequence s joins in step s, so that every batch mixes prompts and single tokens and sequences end with different
 * lengths.
 */
async function sampleAll(decoder: GpuDecoder, pagesPerSlot: number): Promise<{ ids: number[]; logprobs: number[] }[]> {
  const sequences = Array.from({ length: SEQUENCES }, (_, slot) => ({
    ids: Array.from({ length: PROMPT }, (_, t) => (slot * 17 + t * 5) % CONFIG.vocabularySize),
    logprobs: [] as number[],
  }));
  sequences.forEach(({ ids }, slot) => {
    decoder.setTokens(slot, 0, Uint32Array.from(ids));
    decoder.setPages(
      slot,
      Uint32Array.from({ length: pagesPerSlot }, (_, page) => page * SEQUENCES + slot),
    );
  });
  for (let step = 0; step < LENGTH - PROMPT; step++) {
    const rows: [slot: number, position: number][] = [];
    const samples: [row: number, slot: number][] = [];
    for (let slot = 0; slot <= Math.min(step, SEQUENCES - 1); slot++) {
      const length = at(sequences, slot).ids.length;
      for (let position = slot === step ? 0 : length - 1; position < length; position++) rows.push([slot, position]);
      samples.push([rows.length - 1, slot]);
    }
    const { tokens, logprobs } = await decoder.enqueue({
      slots: Uint32Array.from(rows, ([slot]) => slot),
      positions: Uint32Array.from(rows, ([, position]) => position),
      sampleRows: Uint32Array.from(samples, ([row]) => row),
      sampleSlots: Uint32Array.from(samples, ([, slot]) => slot),
      trajectoryIds: Uint32Array.from(samples, ([, slot]) => slot + 100),
    });
    samples.forEach(([, slot], i) => {
      at(sequences, slot).ids.push(at(tokens, i));
      at(sequences, slot).logprobs.push(at(logprobs, i));
    });
  }
  return sequences;
}
