import type * as z from "zod";
import { UserError } from "../base/errors";
import { nearest } from "../base/nearest";
import { datasetEntry } from "../data/registry";
import { selectRewards, UnknownReward } from "../reward/selection";
import { comparesGroup } from "../rl/estimators";
import { hasSharedCritic } from "./critic-fields";
import { checkModelOptions } from "./model-options";
import type { OptionLayer, OptionSet } from "./option-set";
import { isPresetName, presetNames } from "./preset-texts";
import { presetOptions, TRAINING_ONLY } from "./presets";
import { type TrainOptions, trainOptions } from "./train-options";

/**
 * Defaults, then what the data set suggests, then the preset that a later layer names (as far as the command has its options), then
 * the layers in order: config file, flags, dotted overrides.
 *
 * @throws UserError for an unknown key or a value out of range
 */
export function resolveOptions<Shape extends z.ZodRawShape>(
  set: OptionSet<Shape>,
  layers: readonly OptionLayer[],
): ReturnType<OptionSet<Shape>["resolve"]> {
  const name = set.infos.has("preset")
    ? layers.map(({ values }) => values.preset).findLast((value) => value !== undefined && value !== null)
    : undefined;
  if (name === undefined) return set.resolve([...datasetLayer(set, layers), ...layers]);
  if (typeof name !== "string" || !isPresetName(name))
    throw new UserError(
      `preset ${JSON.stringify(name)} does not exist; the nearest one is ${nearest(String(name), presetNames)} (there are ${presetNames.join(", ")})`,
    );
  const isTraining = set.name === trainOptions.name;
  const values = Object.fromEntries(
    Object.entries(presetOptions(name)).filter(
      ([key]) => set.infos.has(key) && (isTraining || !TRAINING_ONLY.has(key)),
    ),
  );
  const all: OptionLayer[] = [{ source: `preset ${name}`, spelling: "file", values }, ...layers];
  return set.resolve([...datasetLayer(set, all), ...all]);
}

/** The prompt template of the named data set that the last layer asks for, as the lowest layer. */
function datasetLayer<Shape extends z.ZodRawShape>(
  set: OptionSet<Shape>,
  layers: readonly OptionLayer[],
): OptionLayer[] {
  if (!set.infos.has("dataset") || !set.infos.has("promptTemplate")) return [];
  const dataset = layers.map(({ values }) => values.dataset).findLast((value) => value !== undefined);
  const names: readonly unknown[] = Array.isArray(dataset) ? dataset : [dataset];
  const entries = names.flatMap((each) => (typeof each === "string" ? (datasetEntry(each) ?? []) : []));
  const [entry] = entries;
  if (entry === undefined || entries.some(({ promptTemplate }) => promptTemplate !== entry.promptTemplate)) return [];
  return [{ source: `data set ${entry.name}`, spelling: "file", values: { promptTemplate: entry.promptTemplate } }];
}

/**
 * {@link resolveOptions} of `train`.
 *
 * @param rewardFunctions names of functions that the host of the run has as values, which --reward-funcs may name too
 * @throws UserError also when options contradict each other
 */
export function resolveTrainOptions(
  layers: readonly OptionLayer[],
  rewardFunctions: readonly string[] = [],
): TrainOptions {
  const options = resolveOptions(trainOptions, layers);
  refuseContradictions(options);
  checkModelOptions(options);
  checkRewards(options, rewardFunctions);
  return options;
}

function checkRewards(options: TrainOptions, values: readonly string[]): void {
  try {
    selectRewards(options.rewardFuncs, options.rewardWeights, values);
  } catch (error) {
    if (!(error instanceof UnknownReward)) throw error;
    throw new UserError(
      `--reward-funcs ${error.reward}: there is no such reward function; the nearest one is ${nearest(error.reward, error.known)} (a file of your own ends in .mjs or .js)`,
    );
  }
}

function refuseContradictions(options: TrainOptions): void {
  const refuse = (key: keyof TrainOptions, why: string): never => {
    throw trainOptions.wrong(key, options[key], undefined, why);
  };
  const { advantageEstimator } = options;
  if (options.beta !== 0 && options.klPlacement === "loss" && options.klEstimator === "k1")
    refuse("klEstimator", "but its expected gradient in a loss is 0; take k2 or k3, or --kl-placement reward");
  if (options.klTarget !== null && options.beta === 0)
    refuse("klTarget", "but --beta is 0, so there is nothing to steer; give the beta to begin with");
  if (advantageEstimator === "gae" && options.usePeft)
    refuse("usePeft", "but a critic beside an adapter is not implemented; take another --advantage-estimator");
  if (options.criticWarmupSteps > 0 && hasSharedCritic(options))
    refuse("criticWarmupSteps", "but --critic shared has no weights of its own that could learn first; set it to 0");
  if (options.vfCoef === 0 && hasSharedCritic(options))
    refuse("vfCoef", "but --critic shared learns by nothing else; give a weight above 0, such as 0.1");
  if (advantageEstimator === "gae" && options.criticWarmupSteps >= options.maxSteps)
    refuse("criticWarmupSteps", `but --max-steps is ${options.maxSteps}, so the policy would never learn`);
  if (options.klPlacement === "reward" && options.beta === 0)
    refuse("klPlacement", "but --beta is 0, so nothing is taken from the reward; give a beta");
  if (options.dynamicSampling && options.numGenerations < 2)
    refuse(
      "numGenerations",
      "but --dynamic-sampling looks for groups with right and wrong answers; set it to 2 or more",
    );
  if (options.importanceSamplingCap < 1 || options.importanceSamplingFloor > 1)
    refuse(
      options.importanceSamplingCap < 1 ? "importanceSamplingCap" : "importanceSamplingFloor",
      "but a sampler that equals the trainer has the weight 1, which must lie between floor and cap",
    );
  if (options.groupFilterMin === 1 || options.groupFilterMax === 0)
    refuse(options.groupFilterMin === 1 ? "groupFilterMin" : "groupFilterMax", "but then no group passes");
  const ids =
    options.promptsPerStep * options.numGenerations * (options.dynamicSampling ? options.maxSamplingRounds : 1);
  // Greedy answers of remax count as much again.
  if ((options.maxSteps + 1) * ids * (advantageEstimator === "remax" ? 2 : 1) > 2 ** 32)
    refuse(
      "maxSteps",
      `but trajectories are numbered with 32 bits, and a step of this run needs up to ${ids}; take fewer steps, or fewer --max-sampling-rounds`,
    );
  if (options.inFlightWeightUpdates && options.maxStaleness === 0)
    refuse(
      "inFlightWeightUpdates",
      "but --max-staleness is 0, so nothing is sampled while weights change; set it to 1",
    );
  if (options.numGenerations < 2 && advantageEstimator !== "gae" && comparesGroup(advantageEstimator))
    refuse("numGenerations", `but ${advantageEstimator} compares the trajectories of a group; set it to 2 or more`);
  if (options.importanceSamplingFloor >= options.importanceSamplingCap)
    refuse("importanceSamplingFloor", `but must be below --importance-sampling-cap ${options.importanceSamplingCap}`);
  if (options.delta !== null && options.delta <= 1 + (options.epsilonHigh ?? options.epsilon))
    refuse("delta", "but the dual clip must lie above 1 + epsilon-high; 3 is usual");
  if (
    options.groupFilterMin !== null &&
    options.groupFilterMax !== null &&
    options.groupFilterMin >= options.groupFilterMax
  )
    refuse("groupFilterMin", `but must be below --group-filter-max ${options.groupFilterMax}`);
  if (options.softPunishCache !== null && options.softPunishCache > options.maxCompletionLength)
    refuse("softPunishCache", `but --max-completion-length is ${options.maxCompletionLength}; it must not be longer`);
  if (options.evalSteps > 0 && options.evalSamples === 0)
    refuse("evalSteps", "but --eval-samples is 0, so there is nothing to evaluate on; set it to 1 or more");
  const { metricForBestModel: metric, evalSteps, saveSteps } = options;
  if (metric?.startsWith("eval/") && (evalSteps === 0 || saveSteps % evalSteps !== 0))
    refuse(
      "metricForBestModel",
      `but not every checkpoint is evaluated; make --save-steps ${saveSteps} a multiple of --eval-steps ${evalSteps}`,
    );
  if (options.warmupSteps > options.maxSteps)
    refuse("warmupSteps", `but --max-steps is ${options.maxSteps}; warm up for fewer`);
  if (options.maxToolResponseTokens >= options.maxCompletionLength && options.maxToolCalls > 0)
    refuse(
      "maxToolResponseTokens",
      `but --max-completion-length ${options.maxCompletionLength} must leave room for more than one output`,
    );
}
