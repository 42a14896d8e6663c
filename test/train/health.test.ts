import { expect, it } from "vitest";
import type { MetricsRow } from "../../src/session/metrics";
import { Health } from "../../src/train/health";

type Figures = Omit<MetricsRow, "step">;

const SOUND: Figures = {
  loss: -0.04,
  advantage_abs: 0.5,
  reward_std: 0.3,
  frac_reward_zero_std: 0.3,
  "rollout/rule_rewards": 0.4,
  entropy: 0.5,
  grad_norm: 0.3,
  kl: 0.002,
  "kl/reference": 0.05,
  "clip_ratio/region_mean": 0.01,
  "sampling/sampling_logp_difference/max": 0,
  "completions/clipped_ratio": 0.02,
  "tools/calls": 20,
  "tools/failure_frequency": 0.1,
  "critic/explained_variance": 0.6,
};

/** What is said of these rows in order, with the step. */
function said(rows: readonly Figures[], hasTool = true): string[] {
  const health = new Health({ hasTool });
  return rows.flatMap((row, i) => health.judge({ ...row, step: i + 1 }).map((text) => `${i + 1}: ${text}`));
}

/** `count` sound rows with these values in place of their own. */
const rows = (count: number, values: Figures = {}) => Array.from({ length: count }, () => ({ ...SOUND, ...values }));

it.each([
  [{ loss: 1e-5 }, 3, /loss is near 0, which is normal/],
  [{ reward_std: 0, frac_reward_zero_std: 1, "rollout/rule_rewards": 0 }, 3, /no answer of the last steps was right/],
  [{ reward_std: 0, frac_reward_zero_std: 1 }, 3, /in every group all rewards are equal/],
  [{ frac_reward_zero_std: 0.9 }, 3, /over 80% of the groups have equal rewards and teach nothing/],
  [
    { frac_reward_zero_std: 0.9, "rollout/rule_rewards": 0.95 },
    3,
    /.*every answer is right: these questions have little/,
  ],
  [{ "completions/clipped_ratio": 0.4 }, 3, /.*raise --max-completion-length$/],
  [{ entropy: 0.01 }, 3, /entropy has fallen/],
  [{ entropy: 1.6 }, 3, /entropy has more than doubled/],
  [{ grad_norm: 3.1 }, 1, /grad_norm is over ten times/],
  [{ kl: 0.2 }, 3, /kl is above 0\.1 nat/],
  [{ "kl/reference": 0.6 }, 3, /kl\/reference is above 0\.5 nat/],
  [{ "clip_ratio/region_mean": 0.4 }, 3, /over 30% of the tokens are clipped/],
  [{ "sampling/sampling_logp_difference/max": 1e-7 }, 1, /log-probs of sampling and training differ/],
  [{ "tools/failure_frequency": 0.6 }, 3, /over half of the Python calls fail/],
  [{ "tools/calls": 0, "tools/failure_frequency": 0 }, 3, /no Python call in the last steps/],
  [{ "critic/explained_variance": 0.02 }, 20, /the critic has explained less than a tenth/],
])("says of %j after %i such rows, once: %s", (values, count, sentence) => {
  expect(said([...rows(12), ...rows(30, values), ...rows(5), ...rows(30, values)])).toEqual([
    expect.stringMatching(new RegExp(`^${12 + count}: ${sentence.source}`)),
  ]);
});

it.each([
  ["a spell that passes", [...rows(2, { kl: 0.2 }), ...rows(1), ...rows(2, { kl: 0.2 })]],
  [
    "an entropy that falls because questions are solved",
    [...rows(1), ...rows(5, { entropy: 0.01, "rollout/rule_rewards": 0.9 })],
  ],
  ["an entropy that doubles from near nothing", [...rows(1, { entropy: 0.1 }), ...rows(5, { entropy: 0.9 })]],
  ["an entropy that rises by 1 nat from many", [...rows(1, { entropy: 3 }), ...rows(5, { entropy: 4.1 })]],
  ["a gradient after steps without one", [...rows(30, { grad_norm: 0 }), ...rows(1, { grad_norm: 1 })]],
  ["a large gradient before it is known what is usual", [...rows(9), ...rows(1, { grad_norm: 9 })]],
  [
    "a gradient that is no larger than one before",
    [...rows(1, { grad_norm: 9 }), ...rows(12), ...rows(1, { grad_norm: 9 })],
  ],
  ["figures that are missing", rows(30, Object.fromEntries(Object.keys(SOUND).map((name) => [name, null])))],
  ["rows without figures", Array.from({ length: 30 }, () => ({}))],
  ["sound rows", rows(30)],
])("is silent about %s", (_, given) => {
  expect(said(given)).toEqual([]);
});

it("is silent about calls that the options do not allow", () => {
  expect(said(rows(5, { "tools/calls": 0, "tools/failure_frequency": 0 }), false)).toEqual([]);
});

it("says at the first step that a loss near 0 is normal, and not again", () => {
  expect(said([...rows(1, { loss: -2e-8 }), ...rows(9, { loss: 1e-9 })])).toEqual([
    expect.stringMatching(/^1: loss is near 0/),
  ]);
});

it("takes the last 20 steps as usual", () => {
  const grown = Array.from({ length: 60 }, (_, i) => ({ ...SOUND, grad_norm: 0.1 * 1.05 ** i }));
  expect(said(grown)).toEqual([]);
  expect(said([...rows(25, { grad_norm: 50 }), ...rows(20), ...rows(1, { grad_norm: 4 })])).toHaveLength(1);
});

/**
 * Steps of `train --preset nano --max-steps 40 --seed 7` on lavapipe: entropy, accuracy, share of equal groups,
 * gradient norm, loss.
 */
const NANO: readonly (readonly [number, number, number, number, number])[] = [
  [0.323, 0.336, 0.312, 0.471, -0.0396],
  [0.324, 0.234, 0.125, 0.472, -0.0572],
  [0.37, 0.227, 0.0625, 0.487, -0.0595],
  [0.342, 0.234, 0.312, 0.504, -0.0402],
  [0.351, 0.289, 0.0625, 0.594, -0.0311],
  [0.245, 0.398, 0.375, 0.43, -0.0403],
  [0.247, 0.406, 0.125, 0.541, -0.055],
  [0.308, 0.422, 0.125, 0.559, 0.046],
  [0.216, 0.492, 0, 0.712, -0.0655],
  [0.257, 0.398, 0.0625, 0.597, -0.0704],
  [0.201, 0.539, 0, 0.671, -0.0725],
  [0.211, 0.641, 0, 0.657, 0.0391],
  [0.2, 0.648, 0.0625, 0.686, -0.0281],
  [0.218, 0.703, 0.0625, 0.556, 0.0267],
  [0.165, 0.766, 0.125, 0.785, -0.0225],
  [0.096, 0.805, 0.0625, 0.548, -0.049],
  [0.188, 0.766, 0, 0.94, 0.0705],
  [0.0809, 0.883, 0.5, 0.429, -0.0106],
  [0.0928, 0.836, 0.5, 0.505, -0.00322],
  [0.0507, 0.914, 0.5, 0.656, -0.0193],
  [0.0404, 0.906, 0.5, 0.426, -0.0171],
  [0.0649, 0.898, 0.375, 0.413, 0.00435],
  [0.0399, 0.875, 0.688, 0.263, -0.00958],
  [0.0278, 0.961, 0.75, 0.207, -0.00881],
  [0.0336, 0.859, 0.688, 0.523, -0.0246],
  [0.0267, 0.969, 0.75, 0.383, -0.0106],
  [0.0535, 0.891, 0.375, 1.01, 0.0153],
  [0.0232, 0.977, 0.812, 0.314, -0.00111],
  [0.0646, 0.922, 0.562, 0.517, 0.0106],
  [0.0202, 0.953, 0.688, 0.645, -0.0141],
  [0.0189, 0.977, 0.812, 0.437, -0.00222],
  [0.0183, 0.953, 0.688, 0.336, -0.00212],
  [0.0574, 0.891, 0.75, 0.598, 0.0264],
  [0.0142, 0.961, 0.812, 0.519, 0.00145],
  [0.027, 0.906, 0.875, 0.558, -0.00389],
  [0.0243, 0.93, 0.812, 0.447, 0.0108],
  [0.0272, 0.914, 0.75, 0.664, 0.00101],
  [0.0142, 0.977, 0.812, 0.319, -0.00326],
  [0.0106, 0.977, 0.812, 0.141, 7.81e-18],
  [0.0184, 0.891, 0.688, 0.306, -0.00708],
];

it("says of the shipped run only that its questions are solved in the end", () => {
  const recorded = NANO.map(([entropy, accuracy, flat, norm, loss]) => ({
    ...SOUND,
    entropy,
    "rollout/rule_rewards": accuracy,
    frac_reward_zero_std: flat,
    grad_norm: norm,
    loss,
    kl: 0,
  }));
  expect(said(recorded)).toEqual([expect.stringMatching(/^36: .* every answer is right/)]);
});
