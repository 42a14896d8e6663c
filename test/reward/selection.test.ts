import { describe, expect, it } from "vitest";
import { gradingPlan } from "../../src/options/fields/reward";
import { resolveTrainOptions } from "../../src/options/train";
import { selectRewards } from "../../src/reward/selection";

describe("choosing reward functions", () => {
  it("takes names, files and exports, each with its weight", () => {
    expect(selectRewards(["torl", "./a/my_reward.mjs", "b.js:style", "dapo"], [1, 2, -3, 0.5])).toEqual({
      builtIn: [
        { name: "torl", weight: 1 },
        { name: "dapo", weight: 0.5 },
      ],
      custom: [
        { name: "my_reward", weight: 2, file: "./a/my_reward.mjs", exportName: "default" },
        { name: "style", weight: -3, file: "b.js", exportName: "style" },
      ],
    });
    expect(selectRewards(["C:\\x\\short.mjs"], null).custom).toEqual([
      { name: "short", weight: 1, file: "C:\\x\\short.mjs", exportName: "default" },
    ]);
    expect(selectRewards(["brief"], null, ["brief"]).custom).toMatchObject([{ name: "brief", file: null }]);
  });

  const base = { model_name_or_path: "m", dataset: "d.jsonl" };
  const resolve = (values: Record<string, unknown>) =>
    resolveTrainOptions([{ source: "run.yaml", spelling: "file", values: { ...base, ...values } }]);

  it.each([
    [{ reward_funcs: ["acuracy"] }, /--reward-funcs acuracy: .*the nearest one is accuracy/],
    [{ reward_funcs: ["torl"], reward_weights: [1, 2] }, /--reward-weights has 2 numbers, but --reward-funcs names 1;/],
    [{ reward_funcs: ["torl", "torl"] }, /names torl twice/],
    [{ reward_funcs: ["a/x.mjs", "b/x.mjs"] }, /names x twice/],
    [{ reward_funcs: [] }, /reward_funcs is \[\], expected/],
    [{ reward_weights: [Number.NaN] }, /reward_weights is/],
    [{ soft_punish_cache: 600 }, /--soft-punish-cache is 600, but --max-completion-length is 512/],
    [{ grading_profile: "maths" }, /grading_profile is "maths", expected one of math, zerotir/],
  ])("refuses %j", (values, message) => {
    expect(() => resolve(values)).toThrow(message);
    expect(() => resolve(values)).toThrow(expect.objectContaining({ name: "UserError" }));
  });

  it("is what the options say", () => {
    const options = resolve({
      reward_funcs: ["dapo", "soft_overlong_punishment"],
      reward_weights: [1, 0.5],
      max_completion_length: 20480,
      grading_profile: "qwen",
      reward_scope: "full-text",
      reward_timeout: 2,
    });
    expect(gradingPlan(options)).toEqual({
      builtIn: {
        scope: "full-text",
        profile: "qwen",
        functions: [
          { name: "dapo", weight: 1 },
          { name: "soft_overlong_punishment", weight: 0.5 },
        ],
        softOverlong: { maxLength: 20480, cacheLength: 4096 },
      },
      custom: [],
      timeoutMs: 2000,
    });
    expect(gradingPlan(resolve({})).builtIn.functions).toEqual([{ name: "accuracy", weight: 1 }]);
    expect(gradingPlan(resolve({ soft_punish_cache: 9 })).builtIn.softOverlong).toEqual({
      maxLength: 512,
      cacheLength: 9,
    });
  });
});
