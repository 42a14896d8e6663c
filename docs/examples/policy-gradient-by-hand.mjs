/**
 * The mathematics alone: advantages and c_t = dL/dl_t of a batch, from rewards and log-probs. node
 * docs/examples/policy-gradient-by-hand.mjs
 */
import { groupAdvantages, tokenWeights, trajectoryLoss } from "zerotir";

// One prompt, four trajectories: rewards, and the log-probs of their sampled tokens before and after an update.
const rewards = [[1, 0, 0, 1]];
const before = [[-0.5, -1.2], [-0.7], [-2, -0.1, -0.3], [-0.4, -0.9]];
const after = [[-0.4, -1.1], [-1.4], [-2, -0.1, -0.3], [-0.1, -0.5]];

const [advantages] = groupAdvantages(rewards);
const weights = tokenWeights(
  before.map((tokens) => tokens.length),
  { mode: "token-mean" },
);
for (const [i, logprobs] of after.entries()) {
  const { coefficients, totals } = trajectoryLoss(
    {
      logprobs,
      oldLogprobs: before[i],
      advantages: logprobs.map(() => advantages[i]),
      weight: weights[i],
    },
    {
      policy: { kind: "clip", epsilonLow: 0.2, epsilonHigh: 0.28 },
      ratioLevel: "token",
      kl: { estimator: "k3", coefficient: 0 },
      entropyCoefficient: 0,
    },
  );
  const clipped = totals.clippedHigh + totals.clippedLow;
  console.log(JSON.stringify({ advantage: advantages[i], coefficients: [...coefficients], clipped }));
}
