import { UserError } from "../model/user-error";
import { nearest } from "./nearest";
import type { OptionLayer } from "./option-set";
import { presetNames, type TrainOptions, trainOptions } from "./options";
import { isPresetName, presets } from "./presets";

/**
 * Defaults, then the preset that a later layer names, then the layers in order (config file, flags, dotted overrides).
 *
 * @throws UserError for an unknown key, a value out of range, or options that contradict each other
 */
export function resolveTrainOptions(layers: readonly OptionLayer[]): TrainOptions {
  const preset = layers.map(({ values }) => values.preset).findLast((value) => value !== undefined && value !== null);
  if (preset !== undefined && (typeof preset !== "string" || !isPresetName(preset)))
    throw new UserError(
      `preset ${JSON.stringify(preset)} does not exist; the nearest one is ${nearest(String(preset), presetNames)} (there are ${presetNames.join(", ")})`,
    );
  const base: OptionLayer[] =
    preset === undefined ? [] : [{ source: `preset ${preset}`, spelling: "file", values: presets[preset] }];
  const options = trainOptions.resolve([...base, ...layers]);
  refuseContradictions(options);
  return options;
}

function refuseContradictions(options: TrainOptions): void {
  const refuse = (key: keyof TrainOptions, why: string): never => {
    throw trainOptions.wrong(key, options[key], undefined, why);
  };
  if (options.beta !== 0)
    refuse("beta", "but a KL penalty needs a reference model, which this version does not keep; set it to 0");
  if (options.numGenerations < 2)
    refuse(
      "numGenerations",
      `but ${options.advantageEstimator} compares the trajectories of a group; set it to 2 or more`,
    );
  if (options.delta !== null && options.delta <= 1 + (options.epsilonHigh ?? options.epsilon))
    refuse("delta", "but the dual clip must lie above 1 + epsilon-high; 3 is usual");
  if (
    options.groupFilterMin !== null &&
    options.groupFilterMax !== null &&
    options.groupFilterMin >= options.groupFilterMax
  )
    refuse("groupFilterMin", `but must be below --group-filter-max ${options.groupFilterMax}`);
  if (options.warmupSteps > options.maxSteps)
    refuse("warmupSteps", `but --max-steps is ${options.maxSteps}; warm up for fewer`);
  if (options.maxToolResponseTokens >= options.maxCompletionLength && options.maxToolCalls > 0)
    refuse(
      "maxToolResponseTokens",
      `but --max-completion-length ${options.maxCompletionLength} must leave room for more than one output`,
    );
}
