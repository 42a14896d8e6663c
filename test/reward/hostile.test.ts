import { describe, expect, it } from "vitest";
import { gradingProfiles, verifyAnswer } from "../../src/reward/verify";

/** What a policy that looks for a cheap reward might write, and what must not be taken for the gold answer behind it. */
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
  // Processor time, not wall time: other processes on the machine say nothing about the grader.
  const milliseconds = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;

  it.each(Object.entries(pathological))("%s: false, at once, whichever side it stands on", (_, text) => {
    for (const profile of gradingProfiles) {
      for (const [prediction, gold] of [
        [text, "5"],
        ["5", text],
      ] as const) {
        const start = milliseconds();
        expect(verifyAnswer(prediction, gold, { profile }).verdict).toBe(false);
        expect(milliseconds() - start).toBeLessThan(100);
      }
    }
  });

  it("gives up when the budget is spent", () => {
    const slow = Array.from({ length: 50 }, (_, i) => `\\sin(x+${i})^2+\\cos(x+${i})^2+${i}`).join(",");
    const other = Array.from({ length: 50 }, (_, i) => `${50 - i}`).join(",");
    expect(verifyAnswer(`\\boxed{${slow}}`, other, { budgetMs: 10_000 }).verdict).toBe(true);
    expect(verifyAnswer(`\\boxed{${slow}}`, other, { budgetMs: 0 }).verdict).toBe(false);
  });
});
