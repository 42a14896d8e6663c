/** What a command refuses beyond the range of each option: options that contradict each other, or lack another. */
import { UserError } from "../base/errors";
import { spelled } from "./option";

/** One thing that is refused. */
export interface Rule<Options> {
  /** The options that it reads. */
  readonly keys: readonly (keyof Options & string)[];
  /**
   * @param functions names of reward functions that the host of the run has as values
   * @throws UserError when the options break the rule
   */
  readonly check: (options: Options, functions: readonly string[]) => void;
}

type Words<Options> = string | ((options: Options) => string);

/** The two ways in which a rule on some options is written. */
export interface Rules<Options> {
  /** Where `when` holds, `--first-key is VALUE, ` and then `why`, which begins with "but" and ends with what to do. */
  refuse<Key extends keyof Options & string>(
    keys: readonly [Key, ...Key[]],
    when: (options: Pick<Options, Key>) => boolean,
    why: Words<Pick<Options, Key>>,
  ): Rule<Options>;
  /** Where `when` holds, the sentence as it stands. */
  demand<Key extends keyof Options & string>(
    keys: readonly [Key, ...Key[]],
    when: (options: Pick<Options, Key>) => boolean,
    sentence: Words<Pick<Options, Key>>,
  ): Rule<Options>;
}

/** How rules on `Options` are written. */
export function rulesOn<Options>(): Rules<Options> {
  const demand: Rules<Options>["demand"] = (keys, when, sentence) => ({
    keys,
    check(options) {
      if (when(options)) throw new UserError(typeof sentence === "string" ? sentence : sentence(options));
    },
  });
  return {
    demand,
    refuse: (keys, when, why) =>
      demand(keys, when, (options) => {
        const value = JSON.stringify(options[keys[0]]);
        return `${spelled(keys[0], "flag")} is ${value}, ${typeof why === "string" ? why : why(options)}`;
      }),
  };
}

/**
 * Those of the rules that read no option beyond `fields`: a command with a part of another's options refuses what the
 * other refuses of them.
 */
export function rulesAmong<Options, Key extends keyof Options & string>(
  rules: readonly Rule<Options>[],
  fields: Readonly<Record<Key, unknown>>,
): Rule<Pick<Options, Key>>[] {
  const isAmong = (rule: Rule<Options>): rule is Rule<Options> & Rule<Pick<Options, Key>> =>
    rule.keys.every((key) => Object.hasOwn(fields, key));
  return rules.filter(isAmong);
}
