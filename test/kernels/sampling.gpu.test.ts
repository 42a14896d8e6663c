import { expect, test } from "vitest";
import { Random } from "../../kernels/cases/inputs";
import { defineProgram } from "../../kernels/program";
import { type SamplingSettings, sample } from "../../kernels/sampling";
import { FULL } from "../../kernels/sampling.cases";
import {
  gumbelReference,
  philoxReference,
  probabilitiesReference,
  thresholdReference,
  type Words,
} from "../../kernels/sampling.reference";
import { at } from "../../src/base/must";
import type { GpuContext } from "../../src/gpu/context";
import { testContext } from "./support";

type Key = readonly [low: number, high: number];

/** Published vectors of Philox 4x32-10 (Random123's known answers). */
const KNOWN: readonly (readonly [counter: Words, key: Key, words: Words])[] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

test.each(KNOWN)("the reference's Philox gives its published words for %j, %j", (counter, key, words) => {
  expect(philoxReference(counter, key)).toEqual(words);
});

test("Philox and the Gumbel noise on the GPU equal the reference, far tails included", async () => {
  const gpu = await testContext();
  const program = defineProgram(
    "philox_probe",
    `struct Params { count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> counters: array<vec4u>;
@group(0) @binding(2) var<storage, read> keys: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> words: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> noise: array<vec4f>;
// include philox
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.count) { return; }
  words[id.x] = philox(counters[id.x], keys[id.x]);
  let words = counters[id.x];
  noise[id.x] = vec4f(gumbel(words.x), gumbel(words.y), gumbel(words.z), gumbel(words.w));
}`,
    { bindings: ["counters", "keys", "words", "noise"], params: ["count"] },
  );
  const random = new Random("philox");
  const word = () => random.below(2 ** 32);
  const counters: readonly Words[] = [
    ...KNOWN.map(([counter]) => counter),
    // Words next to 0 and to 2^32 make the noise's tails; those around 0.75 * 2^32 sit where two formulas meet.
    [0, 0x1ff, 0x200, 0xffff],
    [0xffffffff, 0xfffffdff, 0xffff0000, 0xff000000],
    [0xbfffffff, 0xc0000000, 0xc0000200, 0x80000000],
    ...Array.from({ length: 200 }, (): Words => [word(), word(), word(), word()]),
  ];
  const keys = counters.map((_, i): Key => KNOWN[i]?.[1] ?? [word(), word()]);
  const upload = (label: string, values: number[]) => {
    const view = gpu.allocator.storage(label, values.length * 4);
    gpu.write(view, Uint32Array.from(values));
    return view;
  };
  const views = {
    counters: upload("counters", counters.flat()),
    keys: upload("keys", keys.flat()),
    words: gpu.allocator.storage("words", counters.length * 16),
    noise: gpu.allocator.storage("noise", counters.length * 16),
  };
  program.record(gpu, {
    bindings: views,
    params: { count: counters.length },
    grid: [Math.ceil(counters.length / 64), 1, 1],
  });
  const words = await gpu.readback.readUints(views.words, counters.length * 4);
  expect([...words]).toEqual(counters.flatMap((counter, i) => philoxReference(counter, at(keys, i))));
  const noise = await gpu.readback.readFloats(views.noise, counters.length * 4);
  counters.flat().forEach((value, i) => {
    const expected = gumbelReference(value);
    expect(Math.abs(at(noise, i) - expected), `noise of ${value}`).toBeLessThan(2e-6 * Math.max(1, Math.abs(expected)));
  });
});

/** Tokens drawn from one row of logits by many trajectories. */
async function draws(
  gpu: GpuContext,
  logits: Float32Array,
  settings: SamplingSettings,
  count: number,
): Promise<Uint32Array> {
  const views = {
    logits: gpu.allocator.storage("logits", logits.byteLength),
    entries: gpu.allocator.storage("entries", count * 16),
    slotTokens: gpu.allocator.storage("slot tokens", count * 4),
    thresholds: gpu.allocator.storage("thresholds", count * 4),
  };
  gpu.write(views.logits, logits);
  gpu.write(
    views.entries,
    Uint32Array.from({ length: count * 4 }, (_, i) => (i % 2 === 0 ? 0 : i >> 2)),
  );
  sample(gpu, views, { entries: count, vocabulary: logits.length, stride: logits.length, slotLength: 1 }, settings);
  const tokens = await gpu.readback.readUints(views.slotTokens, count);
  for (const view of Object.values(views)) gpu.allocator.destroy(view);
  return tokens;
}

/**
 * Upper tail of the chi-square distribution by Wilson and Hilferty's normal approximation (1931), good to 1e-5 from 5
 * degrees on.
 */
function chiSquareTail(statistic: number, degrees: number): number {
  const z = ((statistic / degrees) ** (1 / 3) - (1 - 2 / (9 * degrees))) / Math.sqrt(2 / (9 * degrees));
  let tail = 0;
  const step = 1e-3;
  for (let x = z + step / 2; x < 12; x += step) tail += Math.exp((-x * x) / 2) * step;
  return tail / Math.sqrt(2 * Math.PI);
}

test.each([
  { label: "full", settings: FULL },
  { label: "temperature 0.5", settings: { ...FULL, temperature: 0.5 } },
  { label: "top-k 8", settings: { ...FULL, topK: 8 } },
  { label: "top-p 0.8", settings: { ...FULL, topP: 0.8 } },
  { label: "min-p 0.1", settings: { ...FULL, minP: 0.1 } },
])("tokens are drawn with their probabilities: $label", async ({ settings }) => {
  const gpu = await testContext();
  const logits = new Random("chi-square").normals(24, 1.2);
  const count = 40_000;
  const counts = new Map<number, number>();
  for (const token of await draws(gpu, logits, settings, count)) counts.set(token, (counts.get(token) ?? 0) + 1);
  const rows = [...logits];
  const probabilities = probabilitiesReference(rows, settings.temperature, thresholdReference(rows, settings));
  for (const token of counts.keys()) expect(probabilities[token], `token ${token} is kept`).toBeGreaterThan(0);
  // Cells of fewer than 10 expected draws are joined.
  const cells: { expected: number; seen: number }[] = [];
  const rare = { expected: 0, seen: 0 };
  probabilities.forEach((p, token) => {
    const cell = { expected: p * count, seen: counts.get(token) ?? 0 };
    if (cell.expected >= 10) cells.push(cell);
    else {
      rare.expected += cell.expected;
      rare.seen += cell.seen;
    }
  });
  if (rare.expected >= 10) cells.push(rare);
  const statistic = cells.reduce((total, { expected, seen }) => total + (seen - expected) ** 2 / expected, 0);
  expect(cells.length).toBeGreaterThan(5);
  expect(chiSquareTail(statistic, cells.length - 1), `chi-square ${statistic}, ${cells.length} cells`).toBeGreaterThan(
    1e-4,
  );
});
