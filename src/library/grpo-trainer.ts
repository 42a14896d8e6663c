import { UserError } from "../base/errors";
import type { TrainOptions } from "../options/train";
import { resolveTrainOptions } from "../options/train";
import type { Embedded } from "../platform/node/embedded";
import type { CustomRewardFunction } from "../reward/custom";
import type { Environment, EnvironmentFactory } from "../rollout/environment";
import type { TrainingContext } from "../run/context";
import type { TrainSummary } from "../session/events";
import { checkArgs, checkSettings, namedRows, type Rows, TRAINER_SETTINGS, type TrainerSettings } from "./settings";
import { Trainer } from "./trainer";

const DECIDED = {
  modelNameOrPath: "model",
  rewardFuncs: "rewardFuncs",
  dataset: "trainDataset",
  evalDataset: "evalDataset",
} as const;

const SETTINGS = [...TRAINER_SETTINGS, "evalDataset", "rewardFuncs", "environmentFactory", "tools"];

/** Options of `zerotir train`, in camelCase. */
export type GRPOArgs = Partial<Omit<TrainOptions, keyof typeof DECIDED>>;

/** Settings of a {@link GRPOTrainer}, under TRL's names. */
export interface GRPOTrainerSettings extends TrainerSettings<GRPOArgs> {
  /**
   * Rows have `prompt`, `answer` where a reward function judges it, and any other columns, which reward functions and
   * environments are given.
   */
  readonly trainDataset: Rows;
  /**
   * Without it one in 20 training rows is kept out to measure on; with an environment nothing is measured unless
   * `args.evalSamples` asks for it.
   */
  readonly evalDataset?: Rows;
  /**
   * Names of built-in functions, files as in `--reward-funcs`, or functions, which are logged by their names.
   * `environment` is what the environment's `reward()` gives. Default: `environment` with an `environmentFactory`,
   * else what the preset says, else `accuracy`.
   */
  readonly rewardFuncs?: RewardChoice | readonly RewardChoice[];
  /** Makes what each trajectory interacts with in place of Python. */
  readonly environmentFactory?: EnvironmentFactory;
  /** Functions that the model may call by name, in place of Python; for tools that keep nothing of a trajectory. */
  readonly tools?: Environment["tools"];
}

/** A reward function by name, file or value. */
export type RewardChoice = string | CustomRewardFunction;

/** Name of the reward that an environment gives. */
const ENVIRONMENT = "environment";

/**
 * Group relative policy optimization and its relatives, with Python as a tool unless an environment or tools take its
 * place. The run is the one that `zerotir train` makes of the same options.
 *
 * @example
 * const args = { preset: "nano", maxSteps: 10 };
 * const trainer = new GRPOTrainer({ model: "nano-base", rewardFuncs: short, trainDataset: "nano", args });
 * const { runFolder } = await trainer.train();
 */
export class GRPOTrainer extends Trainer<TrainOptions> {
  readonly #embedded: Embedded;

  /**
   * @throws UserError (by its name) for an unknown option, suggesting the nearest one, a value out of range, or
   * settings that contradict each other
   */
  constructor(settings: GRPOTrainerSettings) {
    checkSettings("GRPOTrainer", settings, SETTINGS);
    const { model, trainDataset, evalDataset, args = {} } = settings;
    checkArgs(args, DECIDED);
    const environmentFactory = factoryOf(settings);
    const rewards = rewardsOf(settings, environmentFactory !== undefined);
    const training = namedRows("trainDataset", trainDataset);
    const evaluation = evalDataset === undefined ? undefined : namedRows("evalDataset", evalDataset);
    const isMeasured = environmentFactory === undefined || evaluation !== undefined;
    const options = resolveTrainOptions(
      [
        { source: "environmentFactory", spelling: "code", values: isMeasured ? {} : { evalSamples: 0 } },
        { source: "args", spelling: "code", values: args },
        {
          source: "GRPOTrainer",
          spelling: "code",
          values: {
            modelNameOrPath: model,
            dataset: training.name,
            evalDataset: evaluation?.name,
            rewardFuncs: rewards.names,
          },
        },
      ],
      Object.keys(rewards.functions),
    );
    super(options, settings);
    this.#embedded = {
      rewardFunctions: rewards.functions,
      environmentFactory,
      rows: { ...training.rows, ...evaluation?.rows },
    };
  }

  protected override async run(context: TrainingContext): Promise<TrainSummary> {
    const { train } = await import("../run/train");
    return train(this.options, context, this.#embedded);
  }
}

/** Tools alone are an environment that keeps nothing. */
function factoryOf({ environmentFactory, tools }: GRPOTrainerSettings): EnvironmentFactory | undefined {
  if (tools === undefined) return environmentFactory;
  if (environmentFactory !== undefined)
    throw new UserError("tools and environmentFactory are both given; put the tools into the environment");
  return () => ({ reset() {}, tools });
}

interface Rewards {
  /** Undefined: what the options say. */
  readonly names: string[] | undefined;
  readonly functions: Record<string, CustomRewardFunction>;
}

function rewardsOf({ rewardFuncs, environmentFactory }: GRPOTrainerSettings, hasEnvironment: boolean): Rewards {
  const isList = rewardFuncs === undefined || (typeof rewardFuncs === "object" && rewardFuncs !== null);
  const given = isList ? rewardFuncs : [rewardFuncs];
  const functions: Record<string, CustomRewardFunction> = hasEnvironment ? { [ENVIRONMENT]: environmentReward } : {};
  if (given === undefined) return { names: environmentFactory === undefined ? undefined : [ENVIRONMENT], functions };
  const names = given.map((choice) => {
    if (typeof choice === "string") return choice;
    if (typeof choice !== "function")
      throw new UserError(`rewardFuncs: ${String(choice)} is neither a name nor a function`);
    const { name } = choice;
    if (name === "")
      throw new UserError(
        "rewardFuncs: a function has no name to be logged by; give it one, as in const short = (batch) => ...",
      );
    if (Object.hasOwn(functions, name) && functions[name] !== choice)
      throw new UserError(`rewardFuncs: two functions are called ${name}; each is logged by its name, so rename one`);
    functions[name] = choice;
    return name;
  });
  return { names, functions };
}

const environmentReward: CustomRewardFunction = ({ trajectories }) =>
  trajectories.map(({ environmentReward: reward }) => reward ?? null);
