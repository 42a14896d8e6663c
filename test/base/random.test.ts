import { expect, test } from "vitest";
import { CounterRandom, longHash } from "../../src/base/random";

test("a draw depends on seed, item and number alone", () => {
  const draws = (seed: number, index: number) => {
    const random = new CounterRandom(seed, index);
    return Array.from({ length: 5 }, () => random.next());
  };
  expect(draws(1, 2)).toEqual(draws(1, 2));
  expect(draws(1, 2)).not.toEqual(draws(1, 3));
  expect(draws(1, 2)).not.toEqual(draws(2, 2));
});

test("texts by the hundred thousand have hashes of their own", () => {
  const texts = Array.from({ length: 200_000 }, (_, i) => `What is ${i} + ${i * 7}?`);
  expect(new Set(texts.map(longHash)).size).toBe(texts.length);
  expect(longHash("")).toMatch(/^[0-9a-f]{16}$/);
});
