import { describe, expect, it, vi } from "vitest";
import { gradingProfiles, verifyAnswer } from "../../src/reward/verify";

/**
 * What a policy that looks for a cheap reward might write, and what must not be taken for the gold answer behind it.
 */
const wrong: readonly (readonly [prediction: string, gold: string])[] = [
  ["\\boxed{1, 2, 3, 4, 5}", "3"],
  ["\\boxed{3 \\text{ or } 5}", "5"],
  ["\\boxed{3 or 5}", "5"],
  ["\\boxed{5} or \\boxed{6}", "6"],
  ["A or B", "A"],
  ["15", "5"],
  ["\\boxed{\\text{the answer is } 5}", "5"],
  ["\\boxed{5 \\text{ is wrong}}", "5"],
  ["\\boxed{5 \\text{ if } x > 0}", "5"],
  ["The answer is not 5", "5"],
  ["The answer is not $5$", "5"],
  ["Answer: 5 or maybe 6", "5"],
  ["\\pm 5", "5"],
  ["5", "\\pm 5"],
  ["\\boxed{not x = 5}", "5"],
  ["\\boxed{\\text{not } x = 5}", "5"],
  ["\\boxed{it is 6, no, x = 5}", "5"],
  ["I(0) e^{-t}", "I(0)"],
  ["0", "$f(x)=ax$, where $b$ has $g(b)=0$"],
  ["x=5", "y=5"],
  ["x=1,y=2", "x=2,y=1"],
  ["1,2", "x=2,y=1"],
  ["x-1=5", "5"],
  ["6=5", "5"],
  ["5 \\neq 5", "5"],
  ["x=x", "x=5"],
  ["0=0", "x+y=3"],
  ["5 cm", "5 m"],
  ["5^\\circ C", "5^\\circ F"],
  ["\\$5", "5 \\text{ cents}"],
  ["5 \\text{ thousand}", "5"],
  ["60 min", "60 s"],
  ["\\frac{\\pi}{2}", "90^\\circ"],
  ["\\sin 30", "\\frac12"],
  ["\\frac{1}{0}", "\\infty"],
  ["\\frac{0}{0}", "0"],
  ["\\frac{x-x}{x-x}", "1"],
  ["\\infty-\\infty", "0"],
  ["0\\cdot\\infty", "0"],
  ["NaN", "0"],
  ["0^0", "1"],
  ["", "0"],
  ["()", "0"],
  ["\\emptyset", "0"],
  ["10^{12}+1", "10^{12}"],
  ["\\sqrt{10^{24}+1}", "10^{12}"],
  ["\\pi+10^{-13}", "\\pi"],
  ["\\cos 10^{-6}", "1"],
  ["5.000001", "5"],
  ["0.9999", "1"],
  ["e^{-30}", "0"],
  ["\\sqrt{x^2}", "x"],
  ["\\frac{1}{2}x", "\\frac{1}{2x}"],
  ["4:30", "2:15"],
  ["(5,6)", "(6,5)"],
  ["\\{5,6\\}", "(5,6)"],
  ["x>5", "x\\ge 5"],
  ["[5,\\infty)", "x>5"],
  ["3.6", "\\sqrt{13}"],
  ["31.6", "\\sqrt{1000}"],
  ["31.6", "\\sqrt{999}"],
  ["4.24", "2+\\sqrt5"],
  ["4.24", "\\frac{\\sqrt{72}}{2}+10^{-3}"],
  ["282.7", "90\\pi"],
  ["1.57", "\\frac{\\pi}{2}"],
  ["3.62", "\\sqrt{13}"],
  ["3.60", "\\sqrt{13}"],
  ["\\boxed{3.61, 3.87}", "\\sqrt{13}"],
  ["\\boxed{3.61, 3.88}", "\\sqrt{13}, \\sqrt{15}"],
  ["\\sqrt{13}", "3.61"],
  ["12.57", "12.566"],
  ["1.000", "\\frac{10001}{10000}"],
  ["\\frac{10000000000000001}{10000000000000000}", "1"],
  ["\\frac{476571389139736}{846830699163683}", "\\frac{130}{231}"],
];

describe("cheap answers", () => {
  it.each(wrong)("%j is not %j", (prediction, gold) => {
    expect(verifyAnswer(prediction, gold).verdict).toBe(false);
  });

  it.each([
    ["\\sin 30^\\circ", "\\frac12"],
    ["\\boxed{5} \\text{ and } \\boxed{6}", "5, 6"],
    ["\\int x dx = 5", "5"],
    ["0.\\overline{3}", "1/3"],
    ["\\sqrt[3]{-8}", "-2"],
    ["\\frac{1}{1+\\sqrt2}", "\\sqrt2-1"],
    ["\\sqrt{3+2\\sqrt2}", "1+\\sqrt2"],
    ["\\ln 8", "3\\ln 2"],
    ["x^2-1=0", "2x^2=2"],
    ["60 minutes", "60 min"],
    ["\\boxed{1:03 PM}", "\\text{1:03 PM}"],
    ["1:03 PM", "1:03 PM"],
    ["\\frac{7}{5} + \\frac{1}{5} i.", "1.4+0.2i"],
    ["300000000", "3e8"],
    ["3.61", "\\sqrt{13}"],
    ["12.57", "4\\pi"],
    ["1.333", "\\frac43"],
    ["\\boxed{3.61, 3.87}", "\\sqrt{15}, \\sqrt{13}"],
    ["\\frac{476571389139735}{846830699163683}", "\\frac{130}{231}"],
  ] as const)("%j is %j", (prediction, gold) => {
    expect(verifyAnswer(prediction, gold).verdict).toBe(true);
  });
});

const repeated = (text: string, times: number): string => text.repeat(times);
const pathological: Readonly<Record<string, string>> = {
  tower: "9^{9^{9^9}}",
  "open braces": repeated("{", 1e6),
  "open braces in a box": `\\boxed{${repeated("{", 1e6)}`,
  "closed braces": `\\boxed{${repeated("{", 5e5)}7${repeated("}", 5e5)}}`,
  fractions: `\\boxed{${repeated("\\frac{1}{1+", 300)}x${repeated("}", 300)}}`,
  parentheses: `${repeated("(", 1900)}x${repeated(")", 1900)}`,
  roots: `${repeated("\\sqrt{", 500)}2${repeated("}", 500)}`,
  powers: "(x+y+z+w+a+b+c+d)^{60}",
  factorials: "(((9!)!)!)!",
  "many items": Array.from({ length: 1500 }, (_, i) => i).join(","),
  "many sines": Array.from({ length: 60 }, (_, i) => `\\sin(x+${i})`).join(","),
  "nested boxes": repeated("\\boxed{", 1e5) + repeated("}", 1e5),
  "many boxes": repeated("\\boxed{1}, ", 1e5),
  digits: repeated("1", 1e6),
  backslashes: repeated("\\", 1e6),
  dollars: repeated("$", 1e6),
  exponent: "1e999999",
  phrases: repeated("the answer is ", 5e4),
  points: repeated(". ", 1e6),
  matrices: `${repeated("\\begin{pmatrix}", 200)}1${repeated("\\end{pmatrix}", 200)}`,
};

describe("pathological text", () => {
  /**
   * Milliseconds for a test whose verdicts take some tens of them: what grows faster than its text does not end by
   * then, and a busy machine is no fault of the grader.
   */
  const LIMIT = 30_000;

  it.each(Object.entries(pathological))(
    "%s: false, soon, whichever side it stands on",
    { timeout: LIMIT },
    (_, text) => {
      for (const profile of gradingProfiles) {
        for (const [prediction, gold] of [
          [text, "5"],
          ["5", text],
        ] as const) {
          expect(verifyAnswer(prediction, gold, { profile }).verdict).toBe(false);
        }
      }
    },
  );

  // Each keeps the exact arithmetic, the roots, the probing or the pairing of items busy.
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
  const digits = "98765432109876543210".repeat(3);
  const slow: readonly (readonly [name: string, prediction: string, gold: string])[] = [
    ["roots", ...both((n) => numbers(50).map((i) => `\\sqrt{${digits}${i + n}}`), 100)],
    [
      "powers of sums",
      "(\\frac73x+\\frac{5}{11})^{60}(x+\\frac19)^{60}",
      "(\\frac73x+\\frac{5}{11})^{60}(x+\\frac18)^{60}",
    ],
    ["products of sums", "(x+y+1)^{25}(x-y)^{20}", "(x+y+1)^{25}(x-y)^{21}"],
    ["powers", ...both((n) => numbers(59).map((i) => `${7 + n}^{${2000 + i}}`), 4)],
    [
      "sines",
      numbers(150)
        .map((i) => `\\sin(x+${i})`)
        .join("+"),
      numbers(150)
        .map((i) => `\\cos(x+${i})`)
        .join("+"),
    ],
    ["fractions", ...both((n) => numbers(60).map((i) => `\\frac{${digits}${i}}{${"3".repeat(60)}${n}}`), 7)],
    ["a long root", `\\sqrt[50]{${"7".repeat(1700)}}`, "3.1234567"],
  ];

  function both(items: (n: number) => string[], other: number): [string, string] {
    return [items(1).join(","), items(other).join(",")];
  }

  it.each(slow)("%s: false, soon", { timeout: LIMIT }, (_, prediction, gold) => {
    for (const [left, right] of [
      [prediction, gold],
      [gold, prediction],
    ] as const) {
      expect(verifyAnswer(`\\boxed{${left}}`, right).verdict).toBe(false);
    }
  });

  it("gives up when the steps are spent", () => {
    const slow = Array.from({ length: 50 }, (_, i) => `\\sin(x+${i})^2+\\cos(x+${i})^2+${i}`).join(",");
    const other = Array.from({ length: 50 }, (_, i) => `${50 - i}`).join(",");
    expect(verifyAnswer(`\\boxed{${slow}}`, other, { steps: 10_000_000 }).verdict).toBe(true);
    expect(verifyAnswer(`\\boxed{${slow}}`, other, { steps: 100 }).verdict).toBe(false);
  });

  it("has the same verdicts when hours pass meanwhile", () => {
    const cases = [...slow.map(([, prediction, gold]) => [prediction, gold] as const), ...wrong];
    const graded = () =>
      cases.map(([prediction, gold]) => [
        verifyAnswer(prediction, gold).verdict,
        verifyAnswer(prediction, gold, { steps: 500 }).verdict,
      ]);
    const fast = graded();
    const clock = vi.spyOn(performance, "now");
    const date = vi.spyOn(Date, "now");
    let now = 0;
    // An hour passes between any two looks at a clock.
    clock.mockImplementation(() => (now += 3_600_000));
    date.mockImplementation(() => (now += 3_600_000));
    const late = graded();
    clock.mockRestore();
    date.mockRestore();
    expect(late).toEqual(fast);
  });
});
