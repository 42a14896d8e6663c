import { expect, test } from "vitest";
import { type ModelConfig, parameterShapes, writeModelConfig } from "../../src/model/config";
import { type FolderReader, readCheckpoint } from "../../src/model/folder";
import { encodeSafetensors } from "../../src/model/safetensors/write";
import { Numbers } from "../support/reference/models";

const CASES = Number(process.env.ZEROTIR_FUZZ_CASES ?? 1000);
/** The folder has less than 16 kB; no mutation may have more read at once, or the process grow by more. */
const MOST_READ = 2 ** 16;
const MOST_GROWTH = 400 * 2 ** 20;

const config: ModelConfig = {
  architecture: "qwen2",
  hiddenSize: 8,
  intermediateSize: 12,
  layerCount: 2,
  headCount: 2,
  kvHeadCount: 1,
  headDim: 4,
  vocabularySize: 11,
  rmsNormEpsilon: 1e-6,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedEmbeddings: false,
  attentionBias: true,
  qkNorm: false,
  eosTokenIds: [1],
};

async function validFolder(): Promise<Map<string, Uint8Array>> {
  const text = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));
  const tensors = parameterShapes(config).map(({ hfName, shape }, i) => ({
    name: hfName,
    shape,
    dtype: (["F32", "F16", "BF16"] as const)[i % 3] ?? "F32",
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5),
  }));
  const shards = [tensors.slice(0, 12), tensors.slice(12)];
  const name = (i: number) => `model-0000${i + 1}-of-00002.safetensors`;
  const map = Object.fromEntries(shards.flatMap((shard, i) => shard.map((tensor) => [tensor.name, name(i)])));
  const files = new Map<string, Uint8Array>([
    ["config.json", text(writeModelConfig(config))],
    ["generation_config.json", text({ eos_token_id: [1, 2] })],
    ["model.safetensors.index.json", text({ metadata: { total_size: 1 }, weight_map: map })],
  ]);
  for (const [i, shard] of shards.entries()) files.set(name(i), await encodeSafetensors(shard));
  return files;
}

/**
 * Flips bits, cuts, repeats, or puts a piece of one file into another. Half of the places are in the first 2 kB, where
 * the headers are.
 */
function mutate(files: ReadonlyMap<string, Uint8Array>, numbers: Numbers): Map<string, Uint8Array> {
  const below = (limit: number) => Math.floor(numbers.uniform() * limit);
  const changed = new Map(files);
  const names = [...files.keys()];
  for (let round = 0; round <= below(3); round++) {
    const name = names[below(names.length)] ?? "config.json";
    const bytes = changed.get(name) ?? new Uint8Array();
    const place = () => below(below(2) === 0 ? Math.min(bytes.length, 2048) : bytes.length);
    const kind = below(5);
    if (kind === 0) changed.set(name, bytes.slice(0, place()));
    else if (kind === 1) {
      const other = changed.get(names[below(names.length)] ?? name) ?? bytes;
      const from = below(other.length);
      const piece = other.subarray(from, from + 1 + below(64));
      const at = place();
      changed.set(name, Uint8Array.from([...bytes.subarray(0, at), ...piece, ...bytes.subarray(at)]));
    } else if (kind === 2) {
      const digits = [...bytes.keys()].filter((at) => (bytes[at] ?? 0) >= 48 && (bytes[at] ?? 0) <= 57);
      const at = digits[below(digits.length)] ?? 0;
      const more = new TextEncoder().encode("9".repeat(1 + below(14)));
      changed.set(name, Uint8Array.from([...bytes.subarray(0, at), ...more, ...bytes.subarray(at)]));
    } else {
      const flipped = bytes.slice();
      for (let flip = 0; flip <= below(4); flip++) {
        const at = place();
        flipped[at] = (flipped[at] ?? 0) ^ (1 << below(8));
      }
      changed.set(name, flipped);
    }
  }
  return changed;
}

test(`${CASES} damaged folders: each loads or is refused in a sentence, at once, and nothing large is allocated`, {
  timeout: 600_000,
}, async () => {
  const files = await validFolder();
  const numbers = new Numbers(20251125);
  const grownFrom = process.resourceUsage().maxRSS;
  let loaded = 0;
  const sentences = new Set<string>();
  for (let index = 0; index < CASES; index++) {
    const changed = index === 0 ? files : mutate(files, numbers);
    let largest = 0;
    const folder: FolderReader = {
      path: "m",
      list: async () => [...changed.keys()],
      open: async (name) => {
        const bytes = changed.get(name);
        if (bytes === undefined) return undefined;
        return {
          size: bytes.byteLength,
          read: async (offset, length) => {
            if (offset + length > bytes.byteLength) throw new RangeError(`read beyond ${name}`);
            largest = Math.max(largest, length);
            return bytes.subarray(offset, offset + length);
          },
        };
      },
    };
    try {
      for await (const { data } of (await readCheckpoint(folder)).tensors())
        expect(data.every(Number.isFinite)).toBe(true);
      loaded++;
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "UserError") throw new Error(`case ${index}`, { cause: error });
      expect(error.message.length, error.message).toBeLessThan(1000);
      sentences.add(error.message.replace(/[\d"].*/s, "").slice(0, 60));
    }
    expect(largest, `case ${index}`).toBeLessThanOrEqual(MOST_READ);
  }
  expect((process.resourceUsage().maxRSS - grownFrom) * 1024).toBeLessThan(MOST_GROWTH);
  // Some damage is only in values; most is found, in many ways.
  expect(loaded).toBeGreaterThan(0);
  expect(loaded).toBeLessThan(CASES / 2);
  expect(sentences.size).toBeGreaterThan(10);
  console.info(
    `${CASES} cases: ${loaded} loaded, ${CASES - loaded} refused, peak grew by ${process.resourceUsage().maxRSS - grownFrom} kB`,
  );
});
