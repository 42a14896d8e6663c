import { describe, expect, test } from "vitest";
import { CounterRandom } from "../../src/base/random";
import type { Outcome } from "../../src/eval/answers";
import { intervalOverSamples, intervalsOverQuestions } from "../../src/eval/bootstrap";
import { figuresOf } from "../../src/eval/figures";
import { publishedFigures } from "../../src/eval/published";
import type { Cell, EvaluationReport } from "../../src/eval/report";
import { markdownTable, truncatedPercent } from "../../src/eval/table";

const outcome = (correct: boolean, prediction = correct ? "7" : "8"): Outcome => ({
  correct,
  prediction,
  hasCode: correct,
  calls: 1,
  failedCalls: Number(!correct),
  cut: false,
  modelTokens: 10,
});
/** Questions of which the first samples are right. */
const groups = (k: number, ...rights: number[]) =>
  rights.map((right) => Array.from({ length: k }, (_, i) => outcome(i < right)));

describe("figures", () => {
  test("of K samples, by hand", () => {
    const figures = figuresOf(groups(8, 8, 2, 0, 5), 1);
    expect(figures).toMatchObject({ questions: 4, generations: 8, right: 15, callsPerAnswer: 1, modelTokens: 10 });
    expect(figures?.average.value).toBeCloseTo(15 / 32, 12);
    // 1 - C(6, 2) / C(8, 2) and 1 - C(3, 2) / C(8, 2) for the mixed ones.
    expect(figures?.pass[0]).toMatchObject({ k: 2, value: expect.closeTo((1 + 13 / 28 + 0 + 25 / 28) / 4, 12) });
    expect(figures?.pass.map(({ k }) => k)).toEqual([2, 4, 8]);
    expect(figures?.majority?.value).toBe(0.5);
    expect(figures?.passRates?.histogram).toEqual([1, 0, 1, 0, 0, 1, 0, 0, 1]);
    expect(figures?.failedCalls).toBeCloseTo(17 / 32, 12);
  });

  test("of one sample there is neither pass@k nor maj@k; of no question nothing", () => {
    expect(figuresOf(groups(1, 1, 0), 1)).toMatchObject({
      pass: [],
      majority: null,
      passRates: null,
      average: { sampleInterval: null },
    });
    expect(figuresOf([], 1)).toBeNull();
    expect(figuresOf(groups(4, 2), 1)?.average.interval).toBeNull();
  });
});

describe("bootstrap", () => {
  test("over questions: near the normal interval of a mean, and the same for the same seed", () => {
    const values = Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 1 : 0));
    const [interval] = intervalsOverQuestions([values], 3);
    const [low, high] = interval ?? [0, 0];
    const half = 1.96 * Math.sqrt((0.25 * 0.75) / 400);
    expect(low).toBeGreaterThan(0.25 - 1.15 * half);
    expect(low).toBeLessThan(0.25 - 0.85 * half);
    expect(high).toBeGreaterThan(0.25 + 0.85 * half);
    expect(high).toBeLessThan(0.25 + 1.15 * half);
    expect(intervalsOverQuestions([values], 3)).toEqual([interval]);
    expect(intervalsOverQuestions([values], 4)).not.toEqual([interval]);
  });

  test("over samples: none for questions that always come out the same, which over questions differ", () => {
    const certain = Array.from({ length: 10 }, (_, i) => new Array<number>(8).fill(i % 2));
    expect(intervalOverSamples(certain, 1)).toEqual([0.5, 0.5]);
    const [low = 0, high = 0] = intervalsOverQuestions([certain.map(([score = 0]) => score)], 1)[0] ?? [];
    expect(high - low).toBeGreaterThan(0.3);
    const mixed = Array.from({ length: 10 }, () => [0, 1, 0, 1, 0, 1, 0, 1]);
    const [a, b] = intervalOverSamples(mixed, 1) ?? [0, 0];
    const half = 1.96 * Math.sqrt(0.25 / 80);
    expect(b - a).toBeGreaterThan(1.6 * half);
    expect(b - a).toBeLessThan(2.4 * half);
  });

  test("covers: of 300 benchmarks of 60 questions, about 95 of 100 intervals hold the truth", () => {
    // Each question has a chance of its own, 0.2 or 0.8, and 8 samples: the truth is 0.5.
    const draws = new CounterRandom(12345, 0);
    const random = () => draws.fraction();
    let holds = 0;
    for (let trial = 0; trial < 300; trial++) {
      const means = Array.from({ length: 60 }, () => {
        const chance = random() < 0.5 ? 0.2 : 0.8;
        return Array.from({ length: 8 }, () => Number(random() < chance)).reduce((a, b) => a + b) / 8;
      });
      const [low = 1, high = 0] = intervalsOverQuestions([means], trial)[0] ?? [];
      holds += Number(low <= 0.5 && 0.5 <= high);
    }
    expect(holds / 300).toBeGreaterThan(0.9);
    expect(holds / 300).toBeLessThan(0.99);
  });
});

describe("the table", () => {
  const cell = (label: string, benchmark: string, maxToolCalls: number, ...rights: number[]): Cell => ({
    model: label,
    label,
    benchmark,
    maxToolCalls,
    figures: figuresOf(groups(32, ...rights), 1),
  });
  const report = (...cells: Cell[]): EvaluationReport => ({
    finished: true,
    generations: 32,
    greedy: false,
    seed: 1,
    samples: 0,
    resumed: 0,
    cells,
    published: publishedFigures.filter(({ benchmark }) => cells.some((each) => each.benchmark === benchmark)),
  });

  test("cuts as the published ones: all that are right of 960 come out as printed", () => {
    // The trajectory of the ZTRL report, hits of 960; 288 is the one that its float error moved.
    const printed: [number, string][] = [
      [117, "12.18"],
      [240, "25.00"],
      [271, "28.22"],
      [286, "29.79"],
      [315, "32.81"],
      [82, "8.54"],
      [182, "18.95"],
      [232, "24.16"],
      [288, "30.00"],
    ];
    for (const [hits, text] of printed) expect(truncatedPercent(hits, 960)).toBe(text);
    expect(truncatedPercent(0, 7)).toBe("0.00");
    expect(truncatedPercent(7, 7)).toBe("100.00");
  });

  test("has a row per benchmark, a column per model, and published columns with their remarks", () => {
    const text = markdownTable(report(cell("base", "aime25", 2, 16, 0), cell("mine", "aime25", 2, 32, 0)));
    const [head = "", , row = ""] = text.split("\n");
    const cells = (line: string) =>
      line
        .split("|")
        .slice(1, -1)
        .map((each) => each.trim());
    expect(cells(head)).toEqual([
      "avg@32 [^1]",
      ...["base", "mine", "ZTRL-0727-7B", "ZTRL-0727-7B, step 800", "Qwen3-235B-A22B", "Claude Opus 4", "ToRL-7B"],
    ]);
    expect(cells(row).slice(0, 3)).toEqual(["aime25", "25.00", "50.00"]);
    expect(cells(row)[3]).toMatch(/^29\.99 \[\^\d\] \[\^\d\]$/);
    expect(text).toMatch(/\[\^\d\]: Each figure is right answers \/ 960 .* cut after two decimals/);
    expect(text).toMatch(/no single pass over 30 problems can give it/);
    // Every mark has its note.
    for (const mark of text.match(/\[\^\d+\](?!:)/g) ?? []) expect(text).toContain(`\n${mark}: `);
  });

  test("has a row per N_max; what was published stands once", () => {
    const text = markdownTable(
      report(cell("base", "hmmt25", 0, 3), cell("base", "hmmt25", 4, 8), cell("base", "nano", 0, 1)),
    );
    const rows = text.split("\n\n")[0]?.split("\n") ?? [];
    expect(rows[2]).toMatch(/^\| hmmt25, N_max 0 \| 9\.37 \| 22\.08/);
    expect(rows[3]).toMatch(/^\| hmmt25, N_max 4 \| 25\.00 \| {2}\| {2}\| {2}\|$/);
    expect(rows[4]).toMatch(/^\| nano, N_max 0 \| 3\.12 \| {2}\|/);
  });

  test("published figures name their source, and hold no benchmark twice for one model", () => {
    for (const { source, percent } of publishedFigures) {
      expect(source).not.toBe("");
      expect(percent).toMatch(/^\d+(\.\d+)?$/);
    }
    const keys = publishedFigures.map(({ benchmark, model }) => `${benchmark} ${model}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
