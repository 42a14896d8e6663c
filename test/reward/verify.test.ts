import { describe, expect, it } from "vitest";
import {
  answersEquivalent,
  extractAnswer,
  type GradingProfile,
  gradingProfiles,
  verifyAnswer,
} from "../../src/reward/verify";
import { gradingCases } from "./grading-cases";

describe("comparison of bare answers", () => {
  it.each(gradingCases)("$prediction against $gold: math $math", ({ prediction, gold, math }) => {
    expect(answersEquivalent(prediction, gold)).toBe(math);
    expect(verifyAnswer(prediction, gold).verdict).toBe(math);
  });

  it.each(gradingCases)("$prediction against $gold as the published normalisers have it", (row) => {
    expect(answersEquivalent(row.prediction, row.gold, "hendrycks")).toBe(row.hendrycks);
    expect(answersEquivalent(row.prediction, row.gold, "dapo")).toBe(row.dapo);
    if (row.qwen !== null) expect(answersEquivalent(row.prediction, row.gold, "qwen")).toBe(row.qwen);
  });
});

describe("extraction", () => {
  const strict: readonly (readonly [string, string | null])[] = [
    ["so \\boxed{3} then \\boxed{4}", "4"],
    ["\\boxed{\\{1,2\\}}", "\\{1,2\\}"],
    ["\\boxed{\\frac{1}{\\sqrt{2}}}", "\\frac{1}{\\sqrt{2}}"],
    ["\\boxed{12", null],
    ["\\fbox{7}", null],
    ["the boxed answer", null],
    ["$\\boxed 5$", "5"],
    ["\\boxed{}", ""],
    ["```output\n\\boxed{4}\n```", null],
    ["\\boxed{1} ... <answer>\\boxed{2}</answer>", "2"],
    ["<answer>\\boxed{1}</answer> <answer>\\boxed{2}</answer>", null],
    ["\\boxed{x=\\text{5 }}", "x=\\text{5 }"],
    ["\\boxed{2} and \\boxed{3}", "2, 3"],
    ["\\boxed{2}\\boxed{3}", "3"],
    ["\\boxed{3} and then again \\boxed{3}", "3"],
    ["The answer is $\\sqrt{16}$", "\\sqrt{16}"],
    ["Answer: 41 was wrong.\nAnswer: 42", "42"],
    ["He has 2*3=6 apples.\nA: 6", "6"],
    ["I think of 12 and 15", null],
    ["just 42", null],
    ["", null],
  ];
  it.each(strict)("of %j by math gives %j", (text, answer) => {
    expect(extractAnswer(text, "math")).toBe(answer);
  });

  const published: readonly (readonly [GradingProfile, string, string | null])[] = [
    ["qwen", "\\boxed{12", "12"],
    ["zerotir", "\\boxed{12", "12"],
    ["qwen", "the boxed answer", "answer"],
    ["zerotir", "the boxed answer", "answer"],
    ["zerotir", "\\boxed{1}</think> so \\boxed{2}", "2"],
    ["zerotir", "It is 5 then, or maybe 6.", null],
    ["qwen", "It is 5 then, or maybe 6.", "6"],
    ["hendrycks", "\\fbox{7}", "7"],
    ["hendrycks", "\\boxed{12", null],
    ["dapo", "Answer: 41\nAnswer: 42", "42"],
    ["dapo", `Answer: 42 ${"x".repeat(400)}`, null],
    ["dapo", "so it is \\boxed{4}", "4"],
    ["dapo", `\\boxed{4} ${"x".repeat(120)}`, null],
  ];
  it.each(published)("by %s of %j gives %j", (profile, text, answer) => {
    expect(extractAnswer(text, profile)).toBe(answer);
  });

  it("grades what it extracts", () => {
    expect(verifyAnswer("so \\boxed{x=\\text{5 }}", "5")).toEqual({ verdict: true, extracted: "x=\\text{5 }" });
    expect(verifyAnswer("\\boxed{}", "5")).toEqual({ verdict: false, extracted: "" });
    expect(verifyAnswer("\\boxed{b}", ["a", "b"]).verdict).toBe(true);
    for (const profile of gradingProfiles) expect(verifyAnswer("", "", { profile }).verdict).toBe(false);
  });
});
