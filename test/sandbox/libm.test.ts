import { expect, test } from "vitest";
import { BINARY, UNARY } from "../../src/sandbox/libm/index";
import recorded from "./libm.json" with { type: "json" };

const number = (text: string): number => Number(text.replace("inf", "Infinity").replace("nan", "NaN"));
const FUNCTIONS = new Map<string, (...numbers: number[]) => number>(
  Object.entries({ ...UNARY, ...BINARY }).map(([name, own]) => [name, own as (...numbers: number[]) => number]),
);

/**
 * Arguments of which the result may be another one than glibc's, in a thousand (docs/sandbox.md has the measured
 * shares).
 */
const PER_THOUSAND = 10;

test("all functions are recorded", () => {
  expect([...FUNCTIONS.keys()].sort()).toEqual(Object.keys(recorded).sort());
});

test.each(Object.entries(recorded))("%s gives the digits of glibc", (name, rows) => {
  const own = FUNCTIONS.get(name);
  const different = rows.filter((row) => {
    const numbers = row.split(" ").map(number);
    const expected = numbers.pop();
    return !Object.is(own?.(...numbers), expected);
  });
  expect(different.length, different.join("\n")).toBeLessThanOrEqual((rows.length * PER_THOUSAND) / 1000);
  // A different result is the neighbour, never another number.
  for (const row of different) {
    const numbers = row.split(" ").map(number);
    const expected = numbers.pop() ?? 0;
    expect(Math.abs((own?.(...numbers) ?? Number.NaN) / expected - 1)).toBeLessThan(2.3e-16);
  }
});
