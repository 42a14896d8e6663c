/** T-Eval's figures from the scores of samples. Pure. */
import { type Ability, type AbilityScore, abilities } from "./score-sample";

export interface AbilityFigures {
  readonly ability: Ability;
  /** Mean over samples of each form; null: there are none, or the ability is not asked for in it. */
  readonly json: number | null;
  readonly str: number | null;
  /** Mean of the forms; null where one is missing. Review has one form. */
  readonly score: number | null;
  readonly samples: number;
}

export interface TEvalFigures {
  readonly abilities: readonly AbilityFigures[];
  /** Mean of the six; null where one is missing. */
  readonly overall: number | null;
}

export function tEvalFigures(scores: readonly AbilityScore[]): TEvalFigures {
  const rows = abilities.map((ability): AbilityFigures => {
    const own = scores.filter((score) => score.ability === ability);
    const of = (form: AbilityScore["form"]) =>
      mean(own.filter((score) => score.form === form).map(({ score }) => score));
    const [json, str] = [of("json"), of("str")];
    return { ability, json, str, score: ability === "review" ? str : meanOfAll([json, str]), samples: own.length };
  });
  return { abilities: rows, overall: meanOfAll(rows.map(({ score }) => score)) };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0) / values.length;
}

function meanOfAll(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length < values.length ? null : mean(present);
}
