/**
 * The scheduler on the real decoder: what is sampled is what training sees, whatever slots, batches and run-ahead were.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { createContext, type GpuContext } from "../../src/gpu/context";
import type { ModelConfig } from "../../src/model/config";
import type { Model } from "../../src/model/model";
import { TrainingPass } from "../../src/model/policy-pass";
import { GpuDecoder, type GpuDecoderShape } from "../../src/rollout/decoder";
import type { RolloutRequest } from "../../src/rollout/decoding-sequence";
import type { TokenizerView } from "../../src/rollout/tokenizer";
import type { Trajectory } from "../../src/rollout/trajectory";
import { observationPolicy } from "../../src/sandbox/policies";
import { testDevice } from "../support/device";
import { createMockEngine } from "../support/mock-engine";
import { bitsOf, modelContext, modelOf, randomTensors } from "../support/reference/models";
import { generate, type RolloutOptions, timeless } from "./scenario";

/** Few tokens, so that a model without training often writes a whole block. */
const TOKENS = ["<eos>", "a", "b", "1", "+", "\n", "print(1)", "```python\n", "\n```", "```", " ", "output", "c", "d"];

const tokenizer: TokenizerView = {
  eosId: 0,
  decode: (ids) => Array.from(ids, (id) => TOKENS[id] ?? "?").join(""),
  encodePlain: (text) => {
    const ids: number[] = [];
    for (let at = 0; at < text.length; ) {
      const id = TOKENS.findLastIndex((token, index) => index > 0 && text.startsWith(token, at));
      ids.push(id < 0 ? 1 : id);
      at += id < 0 ? 1 : (TOKENS[id]?.length ?? 1);
    }
    return Uint32Array.from(ids);
  },
};

const formatObservation = observationPolicy("zerotir").observe;

const CONFIG: ModelConfig = {
  architecture: "qwen2",
  hiddenSize: 32,
  intermediateSize: 52,
  layerCount: 2,
  headCount: 4,
  kvHeadCount: 2,
  headDim: 8,
  // Two rows of padding beyond the tokens that exist.
  vocabularySize: TOKENS.length + 2,
  rmsNormEpsilon: 1e-6,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedEmbeddings: false,
  attentionBias: true,
  qkNorm: false,
  eosTokenIds: [0],
};

const PAGE_SIZE = 4;
const COMPLETION = 40;
const SHAPE: GpuDecoderShape = {
  slots: 8,
  maxLength: 60,
  pageSize: PAGE_SIZE,
  pages: 150,
  maxRows: 16,
  logitsBytes: 2 ** 20,
};

/** Prompt lengths around multiples of the page size, one token included. */
const PROMPT_LENGTHS = [1, 3, 4, 5, 8, 11];
const SAMPLES = 3;

let gpu: GpuContext;
let model: Model;

beforeAll(async () => {
  gpu = await modelContext();
  // Flat enough that trajectories differ and run on, peaked enough that a wrong position or page changes tokens.
  model = modelOf(gpu, CONFIG, randomTensors(CONFIG), { vocabulary: TOKENS.length });
});

function requests(lengths: readonly number[] = PROMPT_LENGTHS, samples = SAMPLES): RolloutRequest[] {
  return lengths.map((length, groupIndex) => ({
    groupIndex,
    promptIds: Uint32Array.from({ length }, (_, i) => 1 + ((i * 5 + groupIndex) % (TOKENS.length - 1))),
    trajectoryIds: Array.from({ length: samples }, (_, sample) => 100 + groupIndex * samples + sample),
  }));
}

interface Settings {
  policy?: Model;
  temperature?: number;
  seed?: readonly [number, number];
  shape?: Partial<GpuDecoderShape>;
  options?: Partial<RolloutOptions>;
  lengths?: readonly number[];
  samples?: number;
}

async function roll(settings: Settings = {}): Promise<Trajectory[]> {
  const { policy = model, temperature = 1, seed = [7, 0], shape, options, lengths, samples } = settings;
  const decoder = new GpuDecoder(policy, { ...SHAPE, ...shape }, { temperature, topK: 0, topP: 1, minP: 0, seed });
  // Python's answer depends on the code and on whose call it is; it comes late for some.
  const engine = createMockEngine(async ({ code, seed: key }) => {
    await new Promise((resolve) => setTimeout(resolve, (code.length * 7 + key.length) % 5));
    return `${code.length}+${key.slice(-1)}`;
  });
  try {
    return await generate(requests(lengths, samples), decoder, engine, {
      tokenizer,
      stopStrings: [],
      maxToolCalls: 2,
      maxCompletionLength: COMPLETION,
      formatObservation,
      maxToolResponseTokens: 24,
      tool: { timeoutMs: 1000, memoryMb: 64, maxOutputBytes: 4096 },
      seed: "7",
      runAhead: 1,
      ...options,
    });
  } finally {
    decoder.destroy();
  }
}

/** Log-probs of the sampled tokens by the training pass, trajectory after trajectory, all in one micro-batch. */
async function trained(
  trajectories: readonly Trajectory[],
  temperature: number,
  policy = model,
): Promise<{ logprobs: Float32Array; entropies: Float32Array }> {
  const sequences = trajectories.map(({ promptIds, ids, mask }) => ({
    ids: Uint32Array.from([...promptIds, ...ids]),
    scored: Uint8Array.from([...new Uint8Array(promptIds.length), ...mask]),
  }));
  const pass = new TrainingPass(policy, {
    rows: sequences.reduce((sum, { ids }) => sum + ids.length - 1, 0),
    sequences: sequences.length,
    sequenceLength: 60,
    pageSize: 8,
    recompute: false,
    logitsBytes: 2 ** 20,
  });
  const statistics = await pass.forward(sequences, temperature);
  pass.destroy();
  return statistics;
}

function sampledLogprobs(trajectories: readonly Trajectory[]): Float32Array {
  return Float32Array.from(
    trajectories.flatMap(({ logprobs, mask }) => Array.from(logprobs).filter((_, t) => mask[t] === 1)),
  );
}

describe("log-probs recorded while sampling are those of training, to the bit", () => {
  test.each([1, 0.7])("temperature %f, ragged lengths, observations in between", async (temperature) => {
    const trajectories = await roll({ temperature, samples: 8 });
    const observed = trajectories.filter(({ segments }) => segments.some(({ kind }) => kind === "observation"));
    expect(observed.length).toBeGreaterThan(3);
    // Text goes on behind an observation in at least one.
    expect(observed.some(({ segments }) => segments.at(-1)?.kind !== "observation")).toBe(true);
    expect(new Set(trajectories.map(({ ids }) => ids.length)).size).toBeGreaterThan(5);
    const { logprobs, entropies } = await trained(trajectories, temperature);
    expect(bitsOf(logprobs)).toEqual(bitsOf(sampledLogprobs(trajectories)));
    expect(logprobs.every((value) => value < 0 && value > -30)).toBe(true);
    expect(entropies.every((value) => value > 0 && value <= Math.log(TOKENS.length) + 1e-5)).toBe(true);
    expect(trajectories.every(({ ids }) => ids.every((id) => id < TOKENS.length))).toBe(true);
  });

  test("also with the programs of the other kind of adapter: a row to several lanes, or to one", async () => {
    const opened = await testDevice();
    const rowLanes = opened.profile.rowLanes === 1 ? 64 : 1;
    const other = createContext({ ...opened, profile: { ...opened.profile, rowLanes } });
    const policy = modelOf(other, CONFIG, randomTensors(CONFIG), { vocabulary: TOKENS.length });
    const trajectories = await roll({ policy });
    const { logprobs } = await trained(trajectories, 1, policy);
    expect(bitsOf(logprobs)).toEqual(bitsOf(sampledLogprobs(trajectories)));
    policy.destroy();
  });

  test("another temperature would show", async () => {
    const trajectories = await roll({ temperature: 0.7 });
    const { logprobs } = await trained(trajectories, 1);
    expect(bitsOf(logprobs)).not.toEqual(bitsOf(sampledLogprobs(trajectories)));
  });
});

describe("what is sampled does not depend on how it is computed", () => {
  let expected: Trajectory[];
  beforeAll(async () => {
    expected = timeless(await roll({ options: { runAhead: 0 } }));
  });

  test.each([1, 2, 3, 4])("run-ahead %i", async (runAhead) => {
    expect(timeless(await roll({ options: { runAhead } }))).toEqual(expected);
  });

  test.each([
    [1, 11],
    [2, 4],
    [5, 5],
    [16, 64],
  ])("%i slots, %i rows", async (slots, maxRows) => {
    const shape = { slots, maxRows, pages: 20 + slots * 17 };
    expect(timeless(await roll({ shape, options: { runAhead: 2 } }))).toEqual(expected);
  });

  test("pages for two sequences at a time", async () => {
    expect(timeless(await roll({ shape: { pages: 28 } }))).toEqual(expected);
  });

  test.each([8, 16])("pages of %i tokens", async (pageSize) => {
    expect(timeless(await roll({ shape: { pageSize, pages: Math.ceil(60 / pageSize) * 24 } }))).toEqual(expected);
  });

  test("a trajectory alone", async () => {
    const [alone] = timeless(await roll({ lengths: [1], samples: 1 }));
    expect(alone).toEqual(expected[0]);
  });

  test("logits in chunks of 64 rows", async () => {
    // 150 samples of one prompt and 64 rows of logits at most: the draw goes in chunks once the samples have parted.
    const many = { lengths: [5], samples: 150, options: { maxCompletionLength: 6 } };
    const whole = await roll({ ...many, shape: { slots: 150, maxRows: 150, pages: 600 } });
    const chunked = await roll({ ...many, shape: { slots: 150, maxRows: 150, pages: 600, logitsBytes: 64 * 16 * 4 } });
    expect(timeless(chunked)).toEqual(timeless(whole));
  });
});

test("same seed same tokens, another seed other tokens", async () => {
  const texts = async (seed: readonly [number, number]) => (await roll({ seed })).map(({ fullText }) => fullText);
  const first = await texts([1, 0]);
  expect(await texts([1, 0])).toEqual(first);
  for (const other of [await texts([2, 0]), await texts([1, 1])])
    expect(other.filter((text, i) => text === first[i]).length).toBeLessThan(first.length / 3);
});

test("greedy decoding takes the most probable token of a full recomputation", async () => {
  const trajectories = await roll({ temperature: 0, samples: 1 });
  for (const { promptIds, ids, mask, logprobs } of trajectories) {
    // Every continuation of every prefix by every token: the one that was taken must have the highest log-prob.
    const whole = [...promptIds, ...ids];
    const sampled = Array.from(ids.keys()).filter((t) => mask[t] === 1);
    const sequences = sampled.flatMap((t) =>
      TOKENS.map((_, token) => {
        const prefix = Uint32Array.from([...whole.slice(0, promptIds.length + t), token]);
        return { ids: prefix, scored: Uint8Array.from(prefix, (_, i) => Number(i === prefix.length - 1)) };
      }),
    );
    const pass = new TrainingPass(model, {
      rows: sequences.reduce((sum, sequence) => sum + sequence.ids.length - 1, 0),
      sequences: sequences.length,
      sequenceLength: 60,
      pageSize: 8,
      recompute: true,
      logitsBytes: 2 ** 20,
    });
    const statistics = await pass.forward(sequences, 1);
    pass.destroy();
    sampled.forEach((t, i) => {
      const choices = statistics.logprobs.subarray(i * TOKENS.length, (i + 1) * TOKENS.length);
      expect(choices.indexOf(Math.max(...choices)), `token ${t}`).toBe(ids[t]);
      expect(logprobs[t]).toBe(choices[ids[t] ?? -1]);
    });
  }
});

test("greedy samples of one prompt are all the same", async () => {
  const trajectories = await roll({ temperature: 0, lengths: [4], options: { maxToolCalls: 0 } });
  expect(new Set(trajectories.map(({ fullText }) => fullText)).size).toBe(1);
});

test("a decode batch of two layers: 24 dispatches, one submit, one readback", async () => {
  const decoder = new GpuDecoder(model, SHAPE, { temperature: 1, topK: 0, topP: 1, minP: 0, seed: [1, 0] });
  const slots = [0, 1, 2];
  for (const slot of slots) {
    decoder.setPages(slot, Uint32Array.of(slot * 2, slot * 2 + 1));
    decoder.setTokens(slot, 0, Uint32Array.of(3, 4, 5));
  }
  const decode = (position: number) =>
    decoder.enqueue({
      slots: Uint32Array.from(slots),
      positions: Uint32Array.from(slots, () => position),
      sampleRows: Uint32Array.from(slots),
      sampleSlots: Uint32Array.from(slots),
      trajectoryIds: Uint32Array.from(slots),
    });
  await decode(0);
  const before = { ...gpu.recorder.counters };
  await decode(1);
  const after = gpu.recorder.counters;
  expect({
    dispatches: after.dispatches - before.dispatches,
    submits: after.submits - before.submits,
    readbacks: after.readbacks - before.readbacks,
    copies: after.copies - before.copies,
    bindGroups: after.bindGroups - before.bindGroups,
  }).toEqual({ dispatches: 24, submits: 1, readbacks: 1, copies: 1, bindGroups: 0 });
  decoder.destroy();
});

test("a model whose logits are not finite ends the rollout with a clear error", async () => {
  const broken = modelOf(
    gpu,
    CONFIG,
    randomTensors(CONFIG).map((tensor) =>
      tensor.hfName === "model.norm.weight" ? { ...tensor, data: tensor.data.map(() => Number.NaN) } : tensor,
    ),
    { vocabulary: TOKENS.length },
  );
  const decoder = new GpuDecoder(broken, SHAPE, { temperature: 1, topK: 0, topP: 1, minP: 0, seed: [1, 0] });
  const engine = createMockEngine(() => "");
  await expect(
    generate(requests([3], 2), decoder, engine, {
      tokenizer,
      stopStrings: [],
      maxToolCalls: 0,
      maxCompletionLength: 4,
      formatObservation,
      maxToolResponseTokens: 4,
      tool: { timeoutMs: 1000, memoryMb: 64, maxOutputBytes: 4096 },
      seed: "7",
      runAhead: 1,
    }),
  ).rejects.toThrow(/not finite/);
  decoder.destroy();
  broken.destroy();
});
