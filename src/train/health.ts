/** What figures of a run mean when they look wrong, in words. */
import type { MetricsRow } from "./metrics";

interface Rule {
  /** Steps in a row that must show it. */
  readonly steps: number;
  /** @param first the first row of this process */
  readonly applies: (row: MetricsRow, first: MetricsRow) => boolean;
  readonly sentence: string;
}

const above = (value: number | null | undefined, bound: number) => typeof value === "number" && value > bound;

const RULES: readonly Rule[] = [
  {
    steps: 3,
    applies: ({ loss, advantage_abs: advantage }) =>
      typeof loss === "number" && Math.abs(loss) < 1e-3 && above(advantage, 0.05),
    sentence:
      "loss is near 0, which is normal on-policy: advantages of a group cancel out; watch reward and grad_norm instead",
  },
  {
    steps: 3,
    applies: ({ reward_std: deviation, frac_reward_zero_std: flat }) => flat === 1 && deviation === 0,
    sentence:
      "in every group all rewards are equal, so there is no gradient; use questions that are solved sometimes, a higher --temperature or more --num-generations",
  },
  {
    steps: 3,
    applies: ({ frac_reward_zero_std: flat }) => above(flat, 0.8) && flat !== 1,
    sentence:
      "over 80% of the groups have equal rewards and teach nothing; use questions that are neither always nor never solved, or more --num-generations",
  },
  {
    steps: 3,
    applies: (row) => above(row["completions/clipped_ratio"], 0.3),
    sentence:
      "over 30% of the trajectories are cut at the length limit and are graded without their end; raise --max-completion-length",
  },
  {
    steps: 3,
    applies: ({ entropy }, first) =>
      typeof entropy === "number" && above(first.entropy, 0) && entropy < 0.1 * (first.entropy ?? 0) && entropy < 0.1,
    sentence:
      "entropy has fallen below a tenth of its first value, so trajectories hardly differ; if reward no longer rises, lower --learning-rate or raise --epsilon-high",
  },
  {
    steps: 3,
    applies: (row) => above(row["tools/calls"], 0) && above(row["tools/failure_frequency"], 0.5),
    sentence:
      "over half of the Python calls fail; read some in rollouts/, and check --tool-timeout, --tool-memory-mb and the packages that the programs import",
  },
];

/** Judges the rows of one run in order, and says each thing once. */
export class Health {
  readonly #counts = new Map<Rule, number>();
  #first: MetricsRow | undefined;

  /** Sentences that this row gives reason for, with what to do. */
  judge(row: MetricsRow): string[] {
    this.#first ??= row;
    const first = this.#first;
    return RULES.flatMap((rule) => {
      const count = this.#counts.get(rule) ?? 0;
      if (count >= rule.steps) return [];
      const next = rule.applies(row, first) ? count + 1 : 0;
      this.#counts.set(rule, next);
      return next === rule.steps ? [rule.sentence] : [];
    });
  }
}
