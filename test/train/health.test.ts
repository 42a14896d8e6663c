import { expect, it } from "vitest";
import { Health } from "../../src/train/health";
import type { MetricsRow } from "../../src/train/metrics";

const SOUND: Omit<MetricsRow, "step"> = {
  loss: -0.04,
  advantage_abs: 0.5,
  reward_std: 0.3,
  frac_reward_zero_std: 0.3,
  entropy: 0.5,
  "completions/clipped_ratio": 0.02,
  "tools/calls": 20,
  "tools/failure_frequency": 0.1,
};

/** What is said of a sound row and then five rows with these values, with the step. */
function said(values: Omit<MetricsRow, "step">): string[] {
  const health = new Health();
  const rows = [SOUND, ...Array.from({ length: 5 }, () => ({ ...SOUND, ...values }))];
  return rows.flatMap((row, i) => health.judge({ ...row, step: i + 1 }).map((text) => `${i + 1}: ${text}`));
}

it.each([
  [{ loss: 1e-5 }, /^4: loss is near 0, which is normal/],
  [{ reward_std: 0, frac_reward_zero_std: 1 }, /^4: in every group all rewards are equal/],
  [{ frac_reward_zero_std: 0.9 }, /^4: over 80% of the groups/],
  [{ "completions/clipped_ratio": 0.4 }, /^4: .*raise --max-completion-length$/],
  [{ entropy: 0.01 }, /^4: entropy has fallen/],
  [{ "tools/failure_frequency": 0.6 }, /^4: over half of the Python calls fail/],
])("says once, after three such rows: %j", (values, sentence) => {
  expect(said(values)).toEqual([expect.stringMatching(sentence)]);
});

it("is silent about sound rows, figures that are missing, and what passes", () => {
  expect(said({})).toEqual([]);
  expect(said({ entropy: null, loss: null, "tools/calls": 0, "tools/failure_frequency": 0 })).toEqual([]);
  const health = new Health();
  const rows = [0.9, 0.9, 0.1, 0.9, 0.9].map((clipped, i) => ({
    ...SOUND,
    step: i + 1,
    "completions/clipped_ratio": clipped,
  }));
  expect(rows.flatMap((row) => health.judge(row))).toEqual([]);
});
