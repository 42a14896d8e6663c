/** From the names and weights of `--reward-funcs` and `--reward-weights` to the functions that a run uses. */

import { UserError } from "../base/errors";
import { nearest } from "../base/nearest";
import { builtInRewards, isBuiltInReward } from "./functions";
import type { WeightedReward } from "./grade";

/** A reward function of the user's: an export of a file, or a value that the embedding program holds under `name`. */
export interface CustomReward {
  /** As it is logged: the export's name, or that of the file. */
  readonly name: string;
  readonly weight: number;
  /** Null for a value. */
  readonly file: string | null;
  /** Name of the export; `default` unless given. */
  readonly exportName: string;
}

export interface RewardSelection {
  readonly builtIn: readonly WeightedReward[];
  readonly custom: readonly CustomReward[];
}

const MODULE = /^(?<file>.*?(?<stem>[^/\\]+)\.[cm]?[jt]s)(?::(?<exportName>[\w$]+))?$/;

/**
 * @param functions names of built-in functions, files `path/name.mjs` or `path/name.mjs:export`, or names in `values`
 * @param weights one per function; null: all 1
 * @param values names of functions that the embedding program passes
 * @throws UserError for an unknown name, a name that stands for two functions, or another number of weights than
 * functions
 */
export function selectRewards(
  functions: readonly string[],
  weights: readonly number[] | null,
  values: readonly string[] = [],
): RewardSelection {
  if (weights !== null && weights.length !== functions.length)
    throw new UserError(
      `--reward-weights has ${weights.length} ${weights.length === 1 ? "number" : "numbers"}, but --reward-funcs names ${functions.length}; give one weight for each function`,
    );
  const builtIn: WeightedReward[] = [];
  const custom: CustomReward[] = [];
  functions.forEach((text, index) => {
    const weight = weights?.[index] ?? 1;
    const { file, stem = "", exportName } = MODULE.exec(text)?.groups ?? {};
    if (values.includes(text)) custom.push({ name: text, weight, file: null, exportName: "default" });
    else if (isBuiltInReward(text)) builtIn.push({ name: text, weight });
    else if (file !== undefined)
      custom.push({
        name: exportName === undefined || exportName === "default" ? stem : exportName,
        weight,
        file,
        exportName: exportName ?? "default",
      });
    else
      throw new UserError(
        `--reward-funcs ${text}: there is no such reward function; the nearest one is ${nearest(text, [...Object.keys(builtInRewards), ...values])} (a file of your own ends in .mjs or .js)`,
      );
  });
  const names = [...builtIn, ...custom].map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new UserError(
      `--reward-funcs names ${twice} twice; each function is logged by its name, so give another one`,
    );
  return { builtIn, custom };
}
