/** Advantages of the kept groups, by the estimator of the run. */
import type { TrainOptions } from "../options/train";
import { tokenAdvantages } from "../rl/estimators";
import { criticAdvantages } from "../rl/gae";
import type { GradedTrajectory, Group } from "../session/collect";
import { ofTrajectory, type PerToken } from "./trajectories";

/** What advantages are made of beside the rewards of the kept groups. */
export interface AdvantageInputs {
  /** By trajectory id: a reward of each sampled token, such as a KL penalty. */
  readonly tokenRewards?: ReadonlyMap<number, Float64Array>;
  /** The critic's values. */
  readonly values?: PerToken;
  /** Of each group's greedy answer. */
  readonly greedyRewards?: readonly number[];
}

/** By group and trajectory: advantages of its sampled tokens, and with a critic their returns. */
export function advantagesOf(
  groups: readonly Group[],
  options: TrainOptions,
  { tokenRewards, values, greedyRewards }: AdvantageInputs,
): { advantages: Float64Array[][]; returns?: Float64Array[][] } {
  const ofEach = <Value>(value: (graded: GradedTrajectory) => Value) => groups.map((group) => group.map(value));
  const byId = <Value>(map: ReadonlyMap<number, Value>, what: string) =>
    ofEach(({ trajectory: { id } }) => ofTrajectory(map, id, what));
  const rewards = ofEach(({ grade }) => grade.numbers.reward);
  const shaping = tokenRewards === undefined ? {} : { tokenRewards: byId(tokenRewards, "token rewards") };
  const { advantageEstimator: estimator, scaleRewards, gamma: discount, lam: lambda } = options;
  if (estimator === "gae") {
    if (values === undefined) throw new Error("gae needs the values of a critic");
    const masks = ofEach(({ trajectory }) => trajectory.mask);
    const gae = { discount, lambda, observations: options.gaeObservations };
    return criticAdvantages({ rewards, masks, values: byId(values, "values"), ...shaping }, gae);
  }
  const actionTokens = ofEach(({ trajectory }) => trajectory.mask.reduce((sum, bit) => sum + bit, 0));
  const batch = { rewards, actionTokens, ...shaping, ...(greedyRewards !== undefined && { greedyRewards }) };
  return { advantages: tokenAdvantages(batch, { estimator, scaleRewards, discount }) };
}
