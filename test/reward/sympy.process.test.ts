import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { answersEquivalent } from "../../src/reward/verify";

const script = fileURLToPath(new URL("sympy_pairs.py", import.meta.url));
const PAIRS = 2000;
const python = ["/usr/bin/python3", "python3"].find((name) => spawnSync(name, ["-c", "import sympy"]).status === 0);

/** Pairs that sympy has judged, made by one process. */
function sympyPairs(interpreter: string): [string, string, boolean][] {
  const { stdout, stderr, status } = spawnSync(interpreter, [script, String(PAIRS), "20261"], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("equivalence beside sympy", () => {
  it.skipIf(python === undefined)(
    "accepts no pair that sympy tells apart, and agrees on 99 of 100",
    () => {
      const pairs = sympyPairs(python ?? "");
      expect(pairs).toHaveLength(PAIRS);
      const differing = pairs.filter(([left, right, equal]) => answersEquivalent(left, right) !== equal);
      const accepted = differing.filter(([, , equal]) => !equal);
      console.log(`sympy: ${PAIRS - differing.length} of ${PAIRS} pairs agree, ${accepted.length} wrong accepts`);
      for (const [left, right] of differing) console.log(`  rejected: ${left}   ${right}`);
      expect(accepted).toEqual([]);
      expect(differing.length).toBeLessThanOrEqual(PAIRS / 100);
    },
    600_000,
  );
});
