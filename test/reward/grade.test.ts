import { describe, expect, it } from "vitest";
import { answerTagsValid } from "../../src/reward/answer-tags";
import { countFences, legacyCodeReward } from "../../src/reward/code-ratio";
import {
  failedGrade,
  type GradeJob,
  type GradeOptions,
  gradeTrajectory,
  type WeightedReward,
} from "../../src/reward/grade";
import { showsAnswer } from "../../src/reward/profiles";
import { inThreadRewardPool } from "../support/in-thread-rewards";
import { someJob } from "./job";

const code = "\n```python\nprint(6*7)\n```";
const observation = "\n```output\n42\n```\n\n\n";
const solved: GradeJob = {
  ...someJob,
  modelText: `${code}\\boxed{42}`,
  fullText: `${code}${observation}\\boxed{42}`,
  gold: "42",
  executions: 1,
};

const TORL: GradeOptions = { functions: [{ name: "torl", weight: 1 }] };
const ZEROTIR: GradeOptions = { functions: [{ name: "zerotir", weight: 1 }] };

describe("code ratio", () => {
  it.each([
    ["no code at all", 0],
    ["```python\nprint(1)\n```", 1],
    ["```python\nprint(1)", 0],
    ["```python\n\n```", 0],
    ["```python \t\x1f\x85\xa0```", 0],
    ["```python\ufeff```", 1],
    ["```output\n3\n```", 0],
    ["text before ```", 1],
    ["```", 0],
    ["text ```python\n```", 0],
    ["text ```python\n``` ```python\nx=1\n```", 1],
  ])("of %j is %d", (text, reward) => {
    expect(legacyCodeReward(text)).toBe(reward);
  });

  it("counts complete and opened blocks", () => {
    expect(countFences(`${code}${observation}${code}\n\`\`\`python\nx`)).toEqual({ code: 2, output: 1, opened: 3 });
    expect(countFences("```output\n1")).toEqual({ code: 0, output: 0, opened: 0 });
  });
});

/** 1 - distinct / all of the substrings, counted one by one. */
function repeatnessByCounting(text: string): number {
  const seen = new Set<string>();
  for (let start = 0; start < text.length; start++)
    for (let end = start + 1; end <= text.length; end++) seen.add(text.slice(start, end));
  return 1 - seen.size / ((text.length * (text.length + 1)) / 2);
}
const REPEATNESS = repeatnessByCounting(solved.modelText);

describe("gradeTrajectory", () => {
  it("names what it finds", () => {
    expect(gradeTrajectory(solved)).toEqual({
      prediction: "42",
      rewards: { accuracy: 1 },
      numbers: {
        reward: 1,
        rule_rewards: 1,
        code_rewards: 1,
        code_executed: 1,
        code_correct: 1,
        code_count: 1,
        output_count: 1,
        partial_code_count: 1,
        code_execution_times: 1,
        code_execution_errors: 0,
        no_boxed: 0,
        more_boxed: 0,
        truncated: 0,
        repeatness: expect.closeTo(REPEATNESS, 12),
        repetition_penalty: 0,
        verifier_failed: 0,
      },
    });
  });

  it("does not read an answer that only the tool wrote, unless the scope is the full text", () => {
    const cheat: GradeJob = {
      ...solved,
      modelText: "\n```python\nprint('\\\\'+'boxed{42}')\n```",
      fullText: "\n```python\nprint('\\\\'+'boxed{42}')\n```\n```output\n\\boxed{42}\n```\n\n\n",
    };
    expect(gradeTrajectory(cheat).numbers).toMatchObject({ reward: 0, rule_rewards: 0 });
    expect(gradeTrajectory(cheat, { scope: "full-text" }).numbers).toMatchObject({ reward: 1, rule_rewards: 1 });
  });

  it("tells code that ran from code that was written", () => {
    const written = gradeTrajectory({ ...solved, executions: 0 }).numbers;
    expect(written).toMatchObject({ code_rewards: 1, code_executed: 0, code_execution_errors: 0 });
    const failing = gradeTrajectory({ ...solved, executions: 4, executionErrors: 1 }).numbers;
    expect(failing).toMatchObject({ code_execution_times: 4, code_execution_errors: 0.25 });
  });

  it("adds up what the chosen functions are worth, and leaves out those that do not apply", () => {
    const functions: WeightedReward[] = [
      { name: "torl", weight: 0.5 },
      { name: "execution_penalty", weight: 3 },
    ];
    const failed = { ...solved, lastExecutionFailed: true };
    expect(gradeTrajectory(failed, { functions })).toMatchObject({
      rewards: { torl: 1, execution_penalty: -0.5 },
      numbers: { reward: -1, rule_rewards: 1 },
    });
    expect(gradeTrajectory({ ...failed, executions: 0, gold: "41" }, { functions })).toMatchObject({
      rewards: { torl: -1, execution_penalty: null },
      numbers: { reward: -0.5, rule_rewards: 0, code_correct: 0 },
    });
  });

  it("knows the verdict whatever is rewarded", () => {
    const functions: WeightedReward[] = [{ name: "repetition_penalty", weight: 1 }];
    expect(gradeTrajectory(solved, { functions }).numbers).toMatchObject({ reward: 0, rule_rewards: 1 });
  });

  it.each(["42", "The answer is 42.", "The final answer is $42$. \\boxed{42", "Answer: 42"])(
    "does not take %j, which has no closed box, for an answer",
    (modelText) => {
      expect(gradeTrajectory({ ...solved, modelText })).toMatchObject({ prediction: null, rewards: { accuracy: 0 } });
    },
  );

  it.each([
    ["zerotir", "so boxed 42$", true],
    ["zerotir", "so 42", false],
    ["qwen", "so the answer is 42", true],
    ["qwen", "so 42", false],
    ["dapo", "Answer: 42", true],
    ["dapo", "\\boxed{42}", true],
    ["dapo", "the answer is 42", false],
    ["hendrycks", "\\fbox{42}", true],
    ["hendrycks", "answer: 42", false],
  ] as const)("profile %s: %j marks an answer: %s", (profile, text, shows) => {
    expect(showsAnswer(text, profile)).toBe(shows);
  });

  it("marks a response without box, with two, and cut off", () => {
    expect(gradeTrajectory({ ...solved, modelText: "42", finishReason: "length" })).toMatchObject({
      prediction: null,
      numbers: { no_boxed: 1, more_boxed: 0, truncated: 1, reward: 0 },
    });
    expect(gradeTrajectory({ ...solved, modelText: "\\boxed{1}\\boxed{42}" }).numbers).toMatchObject({
      more_boxed: 1,
      reward: 1,
    });
  });

  it("counts a failed grader as a wrong answer and says so", () => {
    expect(failedGrade(solved, TORL)).toMatchObject({
      prediction: null,
      numbers: { reward: -1, rule_rewards: 0, code_rewards: 1, verifier_failed: 1 },
    });
  });

  it("is what the in-thread pool gives", async () => {
    const pool = inThreadRewardPool(TORL);
    expect(await pool.grade({ ...solved, gold: "41" })).toEqual(gradeTrajectory({ ...solved, gold: "41" }, TORL));
    await pool.close();
  });
});

describe("answer tags", () => {
  const good = "I multiply.</think> <answer>It is \\boxed{42}</answer>";
  it.each([
    [good, "stop", true],
    [good, "length", false],
    [`${good} one two three four five`, "stop", true],
    [`${good} one two three four five six`, "stop", false],
    [`${good}</answer>`, "stop", false],
    [`x</think>${good}`, "stop", false],
    ["</think><answer>42</answer> \\boxed{42}", "stop", false],
    ["</think></answer>\\boxed{42}<answer>", "stop", false],
    ["<answer>\\boxed{42}</answer>", "stop", false],
  ] as const)("%j, %s: %s", (response, finishReason, valid) => {
    expect(answerTagsValid(response, finishReason)).toBe(valid);
    const job = { ...solved, modelText: response, finishReason };
    expect(gradeTrajectory(job, ZEROTIR).numbers).toMatchObject({ reward: Number(valid), rule_rewards: Number(valid) });
  });

  it("looks after the last thought only", () => {
    const job = { ...solved, modelText: "\\boxed{42}</think><answer>\\boxed{41}</answer>" };
    expect(gradeTrajectory(job, ZEROTIR).prediction).toBe("41");
  });
});
