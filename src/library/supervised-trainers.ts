import { type DpoOptions, dpoOptions, type SftOptions, sftOptions } from "../options/supervised";
import type { Embedded } from "../platform/node/embedded";
import type { TrainingContext } from "../run/context";
import type { TrainSummary } from "../session/events";
import { checkArgs, checkSettings, namedRows, TRAINER_SETTINGS, type TrainerSettings } from "./settings";
import { Trainer } from "./trainer";

const DECIDED = { modelNameOrPath: "model", dataset: "trainDataset" } as const;

/** Options of `zerotir sft`, in camelCase. */
export type SFTArgs = Partial<Omit<SftOptions, keyof typeof DECIDED>>;
/** Options of `zerotir dpo`, in camelCase. */
export type DPOArgs = Partial<Omit<DpoOptions, keyof typeof DECIDED>>;

/** Options of both commands from the settings, and the rows that they name. */
function placed(trainer: string, settings: TrainerSettings<Readonly<Record<string, unknown>>>) {
  checkSettings(trainer, settings, TRAINER_SETTINGS);
  const { model, trainDataset, args = {} } = settings;
  checkArgs(args, DECIDED);
  const { name, rows } = namedRows("trainDataset", trainDataset);
  return {
    rows,
    layers: [
      { source: "args", spelling: "code", values: args },
      { source: "the trainer", spelling: "code", values: { modelNameOrPath: model, dataset: name } },
    ] as const,
  };
}

/**
 * Training on given answers: rows `{ prompt, completion }`, `{ messages, tools? }` or a run's rollouts. The run is
 * the one that `zerotir sft` makes.
 */
export class SFTTrainer extends Trainer<SftOptions> {
  readonly #embedded: Embedded;

  /** @throws UserError (by its name) for an unknown option, suggesting the nearest one, or a value out of range */
  constructor(settings: TrainerSettings<SFTArgs>) {
    const { layers, rows } = placed("SFTTrainer", settings);
    super(sftOptions.resolve(layers), settings);
    this.#embedded = { rows };
  }

  protected override async run(context: TrainingContext): Promise<TrainSummary> {
    const { sft } = await import("../run/train");
    return sft(this.options, context, this.#embedded);
  }
}

/**
 * Direct preference optimization (arXiv 2305.18290): rows `{ prompt, chosen, rejected }` or When2Call's. The run is
 * the one that `zerotir dpo` makes.
 */
export class DPOTrainer extends Trainer<DpoOptions> {
  readonly #embedded: Embedded;

  /** @throws UserError (by its name) for an unknown option, suggesting the nearest one, or a value out of range */
  constructor(settings: TrainerSettings<DPOArgs>) {
    const { layers, rows } = placed("DPOTrainer", settings);
    super(dpoOptions.resolve(layers), settings);
    this.#embedded = { rows };
  }

  protected override async run(context: TrainingContext): Promise<TrainSummary> {
    const { dpo } = await import("../run/train");
    return dpo(this.options, context, this.#embedded);
  }
}
