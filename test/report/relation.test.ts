import { describe, expect, it } from "vitest";
import { CounterRandom } from "../../src/base/random";
import { blockBootstrap, blockLength } from "../../src/report/statistics/bootstrap";
import { spearman } from "../../src/report/statistics/correlation";
import { align, columnName, numericColumns, parseMetrics } from "../../src/report/statistics/metrics-table";
import { relate } from "../../src/report/statistics/relation";
import { effectiveSampleSize, firstDifferences, lagOneAutocorrelation } from "../../src/report/statistics/serial";

const line = (row: object) => `${JSON.stringify(row)}\n`;

/** A uniform number from 0 to 1. */
function uniform(seed: number): () => number {
  const random = new CounterRandom(seed, 0);
  return () => random.fraction();
}

describe("metrics.jsonl", () => {
  it("joins on the step; the last row of a step wins; what is no number is dropped and counted", () => {
    const text =
      line({ step: 3, a: 30, b: 3 }) +
      line({ step: 1, a: 10, b: 1 }) +
      line({ step: 2, a: 99, b: 2 }) +
      line({ step: 2, a: 20 }) +
      line({ step: 4, a: null, b: 4 }) +
      '{"step": 5, "a": NaN, "b": 5, "note": "NaN stays NaN"}\n{"step": 6, "a": -Infinity, "b": 6}\n' +
      line({ step: 7, b: 7 }) +
      line({ "train/global_step": 8, a: 80, b: 8 }) +
      'not json\n[1,2]\n{"a":1,"b":2}\n{"step":9,"a":1e3,"b"';
    const table = parseMetrics(text);
    expect(table).toMatchObject({ rows: 9, repeatedSteps: 1, unreadableLines: [10, 11, 12], isTorn: true });
    const { steps, x, y, dropped } = align(table, "a", "b");
    expect([[...steps], [...x], [...y], dropped]).toEqual([[1, 2, 3, 8], [10, 20, 30, 80], [1, 2, 3, 8], 4]);
    expect(numericColumns(table)).toEqual(["step", "a", "b", "train/global_step"]);
    expect(align(table, "a", "nothing").x.length).toBe(0);
  });

  it("of nothing, of CRLF and of a byte order mark", () => {
    expect(parseMetrics("")).toMatchObject({ rows: 0, isTorn: false, unreadableLines: [] });
    expect(parseMetrics('\uFEFF{"step":1,"a":1}\r\n\r\n{"step":2,"a":2}')).toMatchObject({ rows: 2, isTorn: false });
  });

  it("finds short names under train/ and rollout/", () => {
    const table = parseMetrics(line({ step: 1, "train/a": 1, "rollout/a": 1, "rollout/b": 1, c: 1 }));
    expect(["a", "b", "c", "d", "rollout/a"].map((name) => columnName(table, name))).toEqual([
      "train/a",
      "rollout/b",
      "c",
      undefined,
      "rollout/a",
    ]);
  });
});

describe("memory from step to step", () => {
  it("differences, autocorrelation and effective size by hand", () => {
    expect([...firstDifferences([1, 4, 9])]).toEqual([3, 5]);
    // d = -1.5, -0.5, 0.5, 1.5: (0.75 - 0.25 + 0.75) / 5
    expect(lagOneAutocorrelation([1, 2, 3, 4])).toBeCloseTo(0.25, 15);
    expect(lagOneAutocorrelation([5, 5, 5])).toBeNull();
    expect(lagOneAutocorrelation([1, 2])).toBeNull();
    expect(effectiveSampleSize(500, 0.9, 0.9)).toBeCloseTo((500 * 0.19) / 1.81, 10);
    expect(effectiveSampleSize(500, -0.5, 0.5)).toBe(500);
    expect(effectiveSampleSize(500, 1, 1)).toBe(2);
  });
});

describe("block bootstrap", () => {
  const next = uniform(2);
  const x = Array.from({ length: 200 }, next);
  const y = x.map((value) => value + next());

  it("is the same for the same seed, and another one for another", () => {
    const once = blockBootstrap(x, y, 6, 1);
    expect(blockBootstrap(x, y, 6, 1)).toEqual(once);
    expect(blockBootstrap(x, y, 6, 2)?.spearman).not.toEqual(once?.spearman);
    expect(once).toMatchObject({ blockLength: 6, replicates: 2000, seed: 1 });
  });

  it("agrees with Fisher's interval on independent pairs", () => {
    const [low, high] = blockBootstrap(x, y, 1, 1)?.spearman ?? [0, 0];
    const [fisherLow, fisherHigh] = spearman(x, y).fisher ?? [1, 1];
    expect(Math.abs(low - fisherLow)).toBeLessThan(0.04);
    expect(Math.abs(high - fisherHigh)).toBeLessThan(0.04);
  });

  it("covers no correlation about as often as it says, where Fisher's interval of random walks does not", () => {
    let covered = 0;
    let fisherCovered = 0;
    for (let trial = 0; trial < 30; trial++) {
      const draw = uniform(100 + trial);
      const walk = () => {
        let at = 0;
        return Array.from({ length: 150 }, () => {
          at = 0.8 * at + draw() - 0.5;
          return at;
        });
      };
      const [a, b] = [walk(), walk()];
      const length = blockLength(150, lagOneAutocorrelation(a) ?? 0, lagOneAutocorrelation(b) ?? 0);
      const [low, high] = blockBootstrap(a, b, length, trial)?.spearman ?? [1, 1];
      const [fisherLow, fisherHigh] = spearman(a, b).fisher ?? [1, 1];
      covered += Number(low <= 0 && 0 <= high);
      fisherCovered += Number(fisherLow <= 0 && 0 <= fisherHigh);
    }
    expect(covered).toBeGreaterThan(23);
    expect(covered).toBeGreaterThan(fisherCovered);
  });

  it("has a block rule with stated ends", () => {
    expect(blockLength(1000, 0, 0)).toBe(10);
    expect(blockLength(40, 0.99, 0)).toBe(10);
    expect(blockLength(1000, 0.5, -0.1)).toBe(Math.ceil(10 * (1 / 0.75) ** (2 / 3)));
    expect(blockBootstrap([1, 2, 3], [1, 2, 3], 1, 0)).toBeNull();
  });
});

describe("a relation", () => {
  it("of two learning curves has every figure and its caveats", () => {
    const next = uniform(7);
    const text = Array.from({ length: 80 }, (_, i) => {
      const code = 1 / (1 + Math.exp(-(i - 30) / 8)) + 0.5 * next();
      return line({ step: i + 1, "train/rule_rewards": 0.2 + 0.5 * code + 0.3 * next(), "train/code_rewards": code });
    }).join("");
    const names = ["train/code_rewards", "train/rule_rewards"] as const;
    const relation = relate(align(parseMetrics(text), ...names), ...names, 5);
    expect(relation).toMatchObject({ n: 80, firstStep: 1, lastStep: 80, dropped: 0 });
    expect(relation.spearman.coefficient).toBeGreaterThan(0.6);
    expect(relation.x.againstStep.coefficient).toBeGreaterThan(0.6);
    expect(relation.firstDifferences.spearman.coefficient).toBeLessThan(relation.spearman.coefficient ?? 0);
    expect(relation.effective?.n).toBeLessThan(70);
    expect(relation.effective?.spearman.p).toBeGreaterThan(relation.spearman.p ?? 1);
    expect(relation.caveats.map((sentence) => sentence.slice(0, 12))).toEqual([
      "Neighbouring",
      "Both series ",
      "Percentile b",
      "train/code_r",
    ]);
    expect(JSON.stringify(relation)).not.toContain("NaN");
  });

  it("of a constant says so", () => {
    const text = [1, 2, 3, 4].map((step) => line({ step, a: 1, b: step })).join("");
    const relation = relate(align(parseMetrics(text), "a", "b"), "a", "b");
    expect(relation.spearman.coefficient).toBeNull();
    expect(relation.caveats).toEqual(["a is 1 at every aligned step, so no correlation is defined."]);
    expect(relation.bootstrap).toBeNull();
    expect(() => relate(align(parseMetrics(""), "a", "b"), "a", "b")).toThrow(RangeError);
  });
});
