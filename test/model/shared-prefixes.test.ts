import { expect, test } from "vitest";
import { rowsOf, sharedPrefixes, type TrainingSequence } from "../../src/model/sequences";

/** A sequence whose tokens count from `scoredFrom` on. */
const sequence = (ids: readonly number[], scoredFrom: number): TrainingSequence => ({
  ids: Uint32Array.from(ids),
  scored: Uint8Array.from(ids, (_, t) => Number(t >= scoredFrom)),
});

const PROMPT = [1, 2, 3, 4, 5, 6];
const answer = (...ids: number[]) => sequence([...PROMPT, ...ids], PROMPT.length);
const prefixes = (...sequences: TrainingSequence[]) =>
  sharedPrefixes(sequences, 4).map(({ leader, rows }) => [leader, rows]);

test("neighbours share whole pages before the row that predicts their first scored token", () => {
  // Row 5 predicts a scored token, rows 0 ... 4 do not: one page of 4.
  expect(prefixes(answer(7), answer(8, 9), answer(7))).toEqual([
    [0, 4],
    [0, 4],
    [0, 4],
  ]);
  expect(prefixes(answer(7))).toEqual([[0, 0]]);
  expect(prefixes()).toEqual([]);
});

test("who begins otherwise, or shares less, leads a group of its own", () => {
  const other = sequence([1, 2, 9, 9, 9, 9, 9], 6);
  expect(prefixes(answer(7), answer(8), other, other)).toEqual([
    [0, 4],
    [0, 4],
    [2, 4],
    [2, 4],
  ]);
  const long = Array.from({ length: 12 }, (_, i) => i);
  const less = sequence([...long.slice(0, 6), 99, 99, 99, 99], 8);
  expect(prefixes(sequence(long, 10), sequence(long, 10), less)).toEqual([
    [0, 8],
    [0, 8],
    [2, 0],
  ]);
});

test("whichever of the two is scored first ends what they share", () => {
  const long = Array.from({ length: 12 }, (_, i) => i);
  const shared = [
    [0, 4],
    [0, 4],
  ];
  expect(prefixes(sequence(long, 10), sequence(long, 5))).toEqual(shared);
  expect(prefixes(sequence(long, 5), sequence(long, 10))).toEqual(shared);
});

test("a sequence that is scored from its first tokens on, or goes on behind others, shares nothing", () => {
  expect(prefixes(sequence(PROMPT, 1), sequence(PROMPT, 1))).toEqual([
    [0, 0],
    [1, 0],
  ]);
  const later = { ...answer(7), from: 2 };
  expect(sharedPrefixes([answer(7), later], 4)[1]).toEqual({ leader: 1, rows: 0 });
});

test("shared rows are there once and are seen to the end of the last that shares them", () => {
  const sequences = [answer(7), answer(8, 9), sequence([5, 5, 5], 1)];
  const { rows, count, tokens, scored } = rowsOf(sequences, sharedPrefixes(sequences, 4));
  const table = Array.from({ length: count }, (_, row) => [...rows.subarray(row * 4, row * 4 + 4)]);
  expect(table).toEqual([
    ...[0, 1, 2, 3].map((position) => [0, position, 9, 0]),
    [0, 4, 6, 0],
    [0, 5, 6, 0],
    ...[4, 5, 6].map((position) => [1, position, 9, 0]),
    [2, 0, 11, 0],
    [2, 1, 11, 0],
  ]);
  expect([...tokens]).toEqual([1, 2, 3, 4, 5, 6, 5, 6, 8, 5, 5]);
  expect([...scored]).toEqual([5, 7, 8, 9, 10]);
});
