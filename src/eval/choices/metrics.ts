/** Figures of When2Call (arXiv 2504.18851) from the log-likelihoods of four answers to each question. Pure. */
import { at } from "../../base/must";
import { mean } from "../../base/statistics";

/** The four behaviours, in the order of the confusion matrix. */
export const behaviours = ["direct", "tool_call", "request_for_info", "cannot_answer"] as const;
export type Behaviour = (typeof behaviours)[number];

/** A question with the scores of its answers, each in the order of {@link behaviours}. */
export interface ScoredChoices {
  readonly gold: Behaviour;
  /** Sum of the log-probs of an answer's tokens, in nats. */
  readonly logLikelihoods: readonly number[];
  /** Characters of each answer. */
  readonly lengths: readonly number[];
  /** Tools that the question offered. */
  readonly tools: number;
}

export interface ChoiceFigures {
  readonly questions: number;
  /** Share of questions whose most likely answer is the right one. */
  readonly accuracy: number;
  /** The same by log-likelihood per character. */
  readonly accuracyNormalised: number;
  /**
   * Mean F1 over the behaviours that are right or chosen for some question; 0 for one that is never both. By
   * log-likelihood.
   */
  readonly macroF1: number;
  /** Share that chose a tool call, of the questions without tools that cannot be answered; null: there are none. */
  readonly toolHallucination: number | null;
  /** Questions by right answer (row) and chosen one (column). */
  readonly confusion: readonly (readonly number[])[];
}

/** The behaviour with the largest score, the first of equal ones. */
export function chosen(scores: readonly number[]): Behaviour {
  let best = 0;
  scores.forEach((score, index) => {
    if (score > at(scores, best)) best = index;
  });
  return at(behaviours, best);
}

/** The behaviour with the largest log-likelihood per character. */
export function chosenNormalised({ logLikelihoods, lengths }: ScoredChoices): Behaviour {
  return chosen(logLikelihoods.map((score, index) => score / Math.max(1, at(lengths, index))));
}

/** @throws RangeError without questions */
export function choiceFigures(items: readonly ScoredChoices[]): ChoiceFigures {
  if (items.length === 0) throw new RangeError("figures need at least one question");
  const picks = items.map(({ logLikelihoods }) => chosen(logLikelihoods));
  const share = (count: number, of: number) => count / of;
  const count = (gold: Behaviour, pick: Behaviour) =>
    items.filter((item, index) => item.gold === gold && picks[index] === pick).length;
  const confusion = behaviours.map((gold) => behaviours.map((pick) => count(gold, pick)));
  const toolless = items.flatMap((item, index) =>
    item.gold === "cannot_answer" && item.tools === 0 ? [picks[index]] : [],
  );
  return {
    questions: items.length,
    accuracy: share(items.filter(({ gold }, index) => gold === picks[index]).length, items.length),
    accuracyNormalised: share(items.filter((item) => item.gold === chosenNormalised(item)).length, items.length),
    macroF1: macroF1(confusion),
    toolHallucination:
      toolless.length === 0 ? null : share(toolless.filter((pick) => pick === "tool_call").length, toolless.length),
    confusion,
  };
}

function macroF1(confusion: readonly (readonly number[])[]): number {
  const scores = confusion.flatMap((row, label) => {
    const right = at(row, label);
    const gold = row.reduce((sum, each) => sum + each, 0);
    const picked = confusion.reduce((sum, other) => sum + at(other, label), 0);
    return gold + picked === 0 ? [] : [(2 * right) / (gold + picked)];
  });
  return mean(scores);
}
