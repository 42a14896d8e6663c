import { describe, expect, it } from "vitest";
import { type BuiltInReward, builtInRewards } from "../../src/reward/functions";
import { type GradeJob, type GradeOptions, gradeTrajectory } from "../../src/reward/grade";
import { repeatness, trigramRepetition } from "../../src/reward/repetition";
import { jobOf } from "./job";

function rewardOf(name: BuiltInReward, job: GradeJob, options: GradeOptions = {}): number | null | undefined {
  const { rewards, numbers } = gradeTrajectory(job, { ...options, functions: [{ name, weight: 1 }] });
  expect(numbers.reward).toBe(rewards[name] ?? 0);
  return rewards[name];
}

const right = jobOf("so \\boxed{7}");
const wrong = jobOf("so \\boxed{8}");
const unboxed = jobOf("so 7");
const tagged = (answer: string) => jobOf(`x</think><answer>\\boxed{${answer}}</answer>`);

describe("values of the published formulas", () => {
  it.each([
    ["accuracy", right, 1],
    ["accuracy", wrong, 0],
    ["accuracy", unboxed, 0],
    ["zerotir", tagged("7"), 1],
    ["zerotir", tagged("8"), 0],
    ["zerotir", right, 0],
    ["torl", right, 1],
    ["torl", wrong, -1],
    ["torl", unboxed, -1],
    ["execution_penalty", right, null],
    ["execution_penalty", { ...right, executions: 2, executionErrors: 1 }, 0],
    ["execution_penalty", { ...right, executions: 1, executionErrors: 1, lastExecutionFailed: true }, -0.5],
    ["simplerl", right, 1],
    ["simplerl", wrong, -0.5],
    ["simplerl", unboxed, -1],
    ["dapo", jobOf("thus 7"), -1],
    ["dapo", jobOf("thus\nAnswer: 7"), 1],
    ["dapo", jobOf("thus\nAnswer: 8"), -1],
    // Only the last 300 characters are looked at.
    ["dapo", jobOf(`Answer: 7\n${"y".repeat(400)}`), -1],
    ["accuracy", jobOf("\\boxed{\\frac{14}{2}}"), 1],
    ["accuracy", jobOf("Answer: 7"), 0],
    ["dapo", jobOf("It is 42"), -1],
    // Words a b c a b c: trigrams abc bca cab abc, three of them distinct.
    ["repetition_penalty", jobOf("a b c A  b\nC"), -0.25],
    ["repetition_penalty", jobOf("a b"), 0],
  ] as const)("%s of %j is %s", (name, job, value) => {
    expect(rewardOf(name, job)).toBe(value);
  });

  it("read answers by another profile when the run names one", () => {
    expect(rewardOf("accuracy", jobOf("Answer: 7"), { profile: "dapo" })).toBe(1);
    // Hendrycks' form does not compute.
    expect(rewardOf("accuracy", jobOf("\\boxed{\\frac{14}{2}}"), { profile: "hendrycks" })).toBe(0);
  });

  it("do not apply to a row without an answer", () => {
    for (const name of ["accuracy", "zerotir", "torl", "simplerl", "dapo"] as const)
      expect(rewardOf(name, { ...right, gold: [] }), name).toBeNull();
  });

  // L_max 20, L_cache 8: nothing up to 12 tokens, then an eighth per token, -1 beyond 20.
  it.each([
    [12, 0],
    [13, -0.125],
    [16, -0.5],
    [20, -1],
    [21, -1],
    [1000, -1],
  ])("soft overlong punishment of %d tokens is %d", (tokens, value) => {
    const softOverlong = { maxLength: 20, cacheLength: 8 };
    const job = { ...right, modelTokens: tokens, totalTokens: tokens + 8 };
    expect(rewardOf("soft_overlong_punishment", job, { softOverlong })).toBe(value);
    expect(
      rewardOf(
        "soft_overlong_punishment",
        { ...job, modelTokens: 0, totalTokens: tokens },
        {
          softOverlong,
          scope: "full-text",
        },
      ),
    ).toBe(value);
  });

  it("has DAPO's lengths unless told others: 16384 tokens go unpunished", () => {
    expect(rewardOf("soft_overlong_punishment", { ...right, modelTokens: 16384 })).toBe(0);
    expect(rewardOf("soft_overlong_punishment", { ...right, modelTokens: 16384 + 1024 })).toBe(-0.25);
  });

  it("have one line of help each", () => {
    for (const { help } of Object.values(builtInRewards)) expect(help).toMatch(/^\S.{10,90}$/);
  });
});

describe("repetition", () => {
  // "aaaa": LCPs 1, 2, 3 sum to 6; 2 x 6 / (4 x 5). "banana": LCPs 1, 3, 0, 0, 2; 2 x 6 / (6 x 7).
  it.each([
    ["", 0],
    ["a", 0],
    ["abc", 0],
    ["aaaa", 0.6],
    ["banana", 12 / 42],
    ["abab", (2 * 3) / 20],
  ])("repeatness of %j is %d", (text, value) => {
    expect(repeatness(text)).toBeCloseTo(value, 14);
  });

  it("repeatness equals the share of substrings seen before, on texts of few letters", () => {
    let state = 1;
    for (let round = 0; round < 40; round++) {
      const text = Array.from({ length: 5 + round }, () => {
        state = (state * 1103515245 + 12345) % 2147483648;
        return "ab\n"[(state >> 16) % 3] ?? "";
      }).join("");
      const seen = new Set<string>();
      for (let start = 0; start < text.length; start++)
        for (let end = start + 1; end <= text.length; end++) seen.add(text.slice(start, end));
      expect(repeatness(text)).toBeCloseTo(1 - seen.size / ((text.length * (text.length + 1)) / 2), 12);
    }
  });

  it("takes little time for a long text that repeats itself", { timeout: 60_000 }, () => {
    const n = 60_000;
    // All LCPs of n equal letters: 1 + 2 + ... + n - 1.
    expect(repeatness("a".repeat(n))).toBeCloseTo((n - 1) / (n + 1), 12);
    expect(trigramRepetition("x ".repeat(n))).toBeCloseTo(1 - 1 / (n - 2), 12);
  });
});
