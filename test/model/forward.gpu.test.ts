/**
 * The forward pass against the f64 reference, and its promise that a row has the same bits in whatever batch it is
 * computed.
 */
import { describe, expect, test } from "vitest";
import { TrainingPass, type TrainingSequence } from "../../src/model/policy-pass";
import { freed, randomModel } from "../support/passes";
import {
  bitsOf,
  CONFIGS,
  largestDifference,
  modelContext,
  modelOf,
  Numbers,
  randomBatch,
  randomTensors,
  shapeOf,
} from "../support/reference/models";
import { type Row, RowRunner } from "../support/reference/rows";
import { ReferenceModel } from "../support/reference/transformer";

const LENGTHS = [13, 6, 21];

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const numbers = new Numbers(seed);
  return items
    .map((item) => ({ item, key: numbers.uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** A page table per sequence out of one pool, in order or scattered. */
function pageTables(batch: readonly TrainingSequence[], pageSize: number, seed?: number): Uint32Array[] {
  const counts = batch.map(({ ids }) => Math.ceil(ids.length / pageSize));
  const pool = Array.from({ length: counts.reduce((a, b) => a + b, 0) + (seed === undefined ? 0 : 5) }, (_, i) => i);
  const order = seed === undefined ? pool : shuffled(pool, seed);
  return counts.map((count) => Uint32Array.from(order.splice(0, count)));
}

/** Ways to cut the rows of all sequences into batches; every one keeps positions ascending within a slot. */
const SCHEDULES: Record<string, (rows: readonly Row[]) => Row[][]> = {
  "all rows at once": (rows) => [[...rows]],
  "one row at a time": (rows) => rows.map((row) => [row]),
  "one row of every slot at a time, slots in changing order": (rows) => {
    const last = Math.max(...rows.map(({ position }) => position));
    return Array.from({ length: last + 1 }, (_, position) =>
      shuffled(
        rows.filter((row) => row.position === position),
        position,
      ),
    );
  },
  "a prompt of five rows each, the rest one by one": (rows) => [
    rows.filter(({ position }) => position < 5),
    ...rows.filter(({ position }) => position >= 5).map((row) => [row]),
  ],
};

function rowsOf(batch: readonly TrainingSequence[]): Row[] {
  return batch.flatMap(({ ids }, slot) =>
    Array.from({ length: ids.length - 1 }, (_, position): Row => ({ slot, position })),
  );
}

describe.each(Object.entries(CONFIGS))("%s", (_, config) => {
  test.each([4, 8])("log-probs and entropies equal the reference, page size %i", async (pageSize) => {
    const gpu = await modelContext();
    const tensors = randomTensors(config, 2);
    // With small pages the last three rows of the embedding are padding.
    const vocabulary = config.vocabularySize - (pageSize === 8 ? 0 : 3);
    const batch = randomBatch(config, [40, 1, 2, 16, 5], 9, vocabulary);
    const model = freed(modelOf(gpu, config, tensors, { vocabulary }));
    const pass = freed(new TrainingPass(model, shapeOf(batch, { pageSize })));
    const reference = new ReferenceModel(config, tensors, vocabulary);
    for (const temperature of [1, 0.8, 1.3]) {
      const actual = await pass.forward(batch, temperature);
      const expected = reference.forward(batch, temperature);
      expect(expected.logprobs.length).toBeGreaterThan(20);
      expect(largestDifference(actual.logprobs, expected.logprobs)).toBeLessThan(2e-5);
      expect(largestDifference(actual.entropies, expected.entropies)).toBeLessThan(2e-5);
    }
  });

  test.each([4, 8])("rows have the same bits in every batch, page size %i", async (pageSize) => {
    const batch = randomBatch(config, LENGTHS, 5).map(({ ids }) => ({
      ids,
      scored: Uint8Array.from(ids, (_, position) => (position === 0 ? 0 : 1)),
    }));
    const rows = rowsOf(batch);
    const { model } = await randomModel(config);
    const pass = freed(new TrainingPass(model, shapeOf(batch, { pageSize })));
    const trained = await pass.forward(batch, 0.7);
    const key = ({ slot, position }: Row) => `slot ${slot}, position ${position}`;
    let expected: Map<string, Uint32Array> | undefined;
    for (const [schedule, cut] of Object.entries(SCHEDULES)) {
      const tables = pageTables(batch, pageSize, expected === undefined ? undefined : 3);
      const runner = freed(new RowRunner(model, rows.length, { slotLength: Math.max(...LENGTHS), pageSize }, tables));
      batch.forEach(({ ids }, slot) => {
        runner.tables.setTokens(slot, 0, ids);
      });
      const hidden = new Map<string, Uint32Array>();
      const logprobs = new Map<string, number>();
      for (const step of cut(rows)) {
        const states = await runner.hidden(step);
        step.forEach((row, i) => {
          hidden.set(key(row), bitsOf(states[i] ?? new Float32Array()));
        });
        const scores = await runner.logprobs(step, 0.7);
        step.forEach((row, i) => {
          logprobs.set(key(row), scores[i] ?? Number.NaN);
        });
      }
      expected ??= hidden;
      for (const row of rows) expect(hidden.get(key(row)), `${schedule}: ${key(row)}`).toEqual(expected.get(key(row)));
      const inOrder = Float32Array.from(rows, (row) => logprobs.get(key(row)) ?? Number.NaN);
      expect(bitsOf(inOrder), schedule).toEqual(bitsOf(trained.logprobs));
    }
  });
});
