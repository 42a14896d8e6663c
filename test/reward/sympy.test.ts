/** Equivalence beside sympy's verdicts: sympy-pairs.jsonl is what `python3 sympy_pairs.py 2000 20261` prints. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { answersEquivalent } from "../../src/reward/verify";

const file = join(import.meta.dirname, "sympy-pairs.jsonl");

it("accepts no pair that sympy tells apart, and agrees on 99 of 100", () => {
  const pairs = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line): [left: string, right: string, equal: boolean] => JSON.parse(line));
  expect(pairs).toHaveLength(2000);
  const differing = pairs.filter(([left, right, equal]) => answersEquivalent(left, right) !== equal);
  const accepted = differing.filter(([, , equal]) => !equal);
  console.log(
    `sympy: ${pairs.length - differing.length} of ${pairs.length} pairs agree, ${accepted.length} wrong accepts`,
  );
  for (const [left, right] of differing) console.log(`  rejected: ${left}   ${right}`);
  expect(accepted).toEqual([]);
  expect(differing.length).toBeLessThanOrEqual(pairs.length / 100);
});
