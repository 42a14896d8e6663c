/** Health of a run: notices in words when its figures look wrong. */
import { quantile } from "../base/statistics";
import type { MetricsRow } from "../session/metrics";

/** What a row is judged against. */
interface Course {
  /** The first row of this process. */
  readonly first: MetricsRow;
  /** Gradient norms above 0 of the last steps before this one, oldest first. */
  readonly gradNorms: readonly number[];
  /** Whether the model may call Python. */
  readonly hasTool: boolean;
}

interface Rule {
  /** Rows in a row that must show it. */
  readonly rows: number;
  readonly applies: (row: MetricsRow, course: Course) => boolean;
  readonly sentence: string;
}

type Figure = number | null | undefined;
const above = (value: Figure, bound: number) => typeof value === "number" && value > bound;
const below = (value: Figure, bound: number) => typeof value === "number" && value < bound;

/** Steps that say what a gradient norm usually is, and the fewest that can. */
const [USUAL_STEPS, FEWEST_USUAL] = [20, 10];
/** From this accuracy on, sure and equal answers are what training was for. */
const SOLVED = 0.8;

const isLossNearZero = ({ loss, advantage_abs: advantage }: MetricsRow) =>
  typeof loss === "number" && Math.abs(loss) < 1e-3 && above(advantage, 0.05);
const LOSS_NEAR_ZERO =
  "loss is near 0, which is normal on-policy: advantages of a group cancel out; watch reward and grad_norm instead";

const isWithoutDifference = ({ reward_std: deviation, frac_reward_zero_std: flat }: MetricsRow) =>
  flat === 1 && deviation === 0;
const isMostlyFlat = ({ frac_reward_zero_std: flat }: MetricsRow) => above(flat, 0.8) && flat !== 1;

const RULES: readonly Rule[] = [
  // At the start, where a user asks; and later in a run whose loss was another before.
  { rows: 1, applies: (row, { first }) => row === first && isLossNearZero(row), sentence: LOSS_NEAR_ZERO },
  { rows: 3, applies: isLossNearZero, sentence: LOSS_NEAR_ZERO },
  {
    rows: 3,
    applies: (row) => isWithoutDifference(row) && row["rollout/rule_rewards"] === 0,
    sentence:
      "no answer of the last steps was right, so there is nothing to learn from; read some in rollouts/, check --prompt-template, --max-completion-length and --grading-profile, or use easier questions",
  },
  {
    rows: 3,
    applies: (row) => isWithoutDifference(row) && row["rollout/rule_rewards"] !== 0,
    sentence:
      "in every group all rewards are equal, so there is no gradient; use questions that are solved sometimes, a higher --temperature or more --num-generations",
  },
  // With 8 answers a question solved 1 time in 40 gives an equal group in 82% of the cases: below that most groups
  // teach nothing.
  {
    rows: 3,
    applies: (row) => isMostlyFlat(row) && !above(row["rollout/rule_rewards"], SOLVED),
    sentence:
      "over 80% of the groups have equal rewards and teach nothing; use questions that are neither always nor never solved, or more --num-generations",
  },
  {
    rows: 3,
    applies: (row) => isMostlyFlat(row) && above(row["rollout/rule_rewards"], SOLVED),
    sentence:
      "over 80% of the groups have equal rewards, most of them because every answer is right: these questions have little left to teach",
  },
  // Reward comes from the end of an answer: a third of them without one is more noise than a few unlucky ones.
  {
    rows: 3,
    applies: (row) => above(row["completions/clipped_ratio"], 0.3),
    sentence:
      "over 30% of the trajectories are cut at the length limit and are graded without their end; raise --max-completion-length",
  },
  // Below 0.1 nat the likeliest token has nearly all the probability.
  {
    rows: 3,
    applies: (row, { first }) =>
      typeof first.entropy === "number" &&
      first.entropy > 0 &&
      below(row.entropy, Math.min(0.1, 0.1 * first.entropy)) &&
      !above(row["rollout/rule_rewards"], SOLVED),
    sentence:
      "entropy has fallen below a tenth of its first value, so trajectories hardly differ; if reward no longer rises, lower --learning-rate or raise --epsilon-high",
  },
  // One nat more: e times as many tokens are in play at each place.
  {
    rows: 3,
    applies: ({ entropy }, { first }) =>
      typeof first.entropy === "number" && above(entropy, Math.max(2 * first.entropy, first.entropy + 1)),
    sentence:
      "entropy has more than doubled, by over 1 nat per token: answers turn into noise; lower --learning-rate, or --entropy-coefficient if it is set, and go on from an earlier checkpoint",
  },
  // The noise of a healthy run stays within a few times its median; steps without any signal do not count as usual.
  {
    rows: 1,
    applies: (row, { gradNorms }) =>
      gradNorms.length >= FEWEST_USUAL && above(row.grad_norm, Math.max(10 * median(gradNorms), ...gradNorms)),
    sentence:
      "grad_norm is over ten times its median of the last steps; one such step is harmless under --max-grad-norm, several call for a lower --learning-rate",
  },
  // PPO implementations that stop early by KL do so at 0.01 to 0.02 nat.
  {
    rows: 3,
    applies: ({ kl }) => above(kl, 0.1),
    sentence:
      "kl is above 0.1 nat per token: the policy moves far within one batch; lower --learning-rate or --num-iterations",
  },
  // A token is then 1.6 times as probable as under the reference, on average over all of them.
  {
    rows: 3,
    applies: (row) => above(row["kl/reference"], 0.5),
    sentence:
      "kl/reference is above 0.5 nat per token: the policy is far from the model it started from; if answers read badly though reward rises, raise --beta or lower --learning-rate",
  },
  // Clipping is for exceptions; the bound is wide because sequence ratios (GSPO) clip many tokens in sound runs too.
  {
    rows: 3,
    applies: (row) => above(row["clip_ratio/region_mean"], 0.3),
    sentence:
      "over 30% of the tokens are clipped and have no gradient; lower --learning-rate or --num-iterations, or widen --epsilon",
  },
  {
    rows: 1,
    applies: (row) => !above(row.staleness, 0) && above(row["sampling/sampling_logp_difference/max"], 0),
    sentence:
      "log-probs of sampling and training differ, which should be equal; zerotir doctor checks this adapter, and where the mean difference is above 0.01 --importance-sampling-mode token_truncate corrects for it",
  },
  {
    rows: 3,
    applies: (row) => above(row["tools/calls"], 0) && above(row["tools/failure_frequency"], 0.5),
    sentence:
      "over half of the Python calls fail; read some in rollouts/, and check --tool-timeout, --tool-memory-mb and the packages that the programs import",
  },
  {
    rows: 3,
    applies: (row, { hasTool }) => hasTool && row["tools/calls"] === 0,
    sentence:
      "no Python call in the last steps though the model may make some, and what it never does is never rewarded; check that --prompt-template asks for code and --tool-policy knows its fence, or begin with sft",
  },
  // It starts untrained, so it gets 20 steps to become better than nothing.
  {
    rows: 20,
    applies: (row) => below(row["critic/explained_variance"], 0.1),
    sentence:
      "the critic has explained less than a tenth of the returns' variance for 20 steps, so advantages are hardly better than without it; train it faster, or use --advantage-estimator grpo",
  },
];

/** Judges the rows of one run in order, and says each thing once. */
export class Health {
  readonly #hasTool: boolean;
  readonly #counts = new Map<Rule, number>();
  readonly #said = new Set<string>();
  #first: MetricsRow | undefined;
  #gradNorms: readonly number[] = [];

  constructor({ hasTool }: { readonly hasTool: boolean }) {
    this.#hasTool = hasTool;
  }

  /** Sentences that this row gives reason for, with what to do. */
  judge(row: MetricsRow): string[] {
    this.#first ??= row;
    const course = { first: this.#first, gradNorms: this.#gradNorms, hasTool: this.#hasTool };
    const sentences = RULES.flatMap((rule) => {
      const count = rule.applies(row, course) ? (this.#counts.get(rule) ?? 0) + 1 : 0;
      this.#counts.set(rule, count);
      return count >= rule.rows && !this.#said.has(rule.sentence) ? [rule.sentence] : [];
    });
    for (const sentence of sentences) this.#said.add(sentence);
    const { grad_norm: norm } = row;
    if (typeof norm === "number" && Number.isFinite(norm) && norm > 0)
      this.#gradNorms = [...this.#gradNorms, norm].slice(-USUAL_STEPS);
    return sentences;
  }
}

function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
