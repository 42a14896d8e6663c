/** What all trainers do: train once, then save. */

import { UserError } from "../base/errors";
import { type DtypeName, dtypeNames } from "../model/safetensors/dtype";
import type { TrainingContext } from "../run/context";
import type { TrainSummary } from "../session/events";
import { allHandlers, type TrainerSettings } from "./settings";

/** A run as the command of the same name makes it: same run folder, same files, same weights. */
export abstract class Trainer<Options> {
  /** The resolved options. */
  readonly options: Options;
  readonly #context: TrainingContext;
  #summary: TrainSummary | undefined;

  protected constructor(options: Options, { events, signal }: TrainerSettings<unknown>) {
    const handlers = allHandlers(events);
    this.options = options;
    this.#context = {
      events: handlers,
      announce: (line) => handlers.onNotice(line),
      signal: signal ?? new AbortController().signal,
    };
  }

  protected abstract run(context: TrainingContext): Promise<TrainSummary>;

  /**
   * Trains to the last step, or from `args.resumeFromCheckpoint` on. The run folder (`args.outputDir`, else a new one
   * in `runs/`) is held against other processes meanwhile.
   * @returns outcome, figures, run folder and last checkpoint
   * @throws UserError (by its name) for what the user can repair, with one sentence
   */
  async train(): Promise<TrainSummary> {
    this.#summary = await this.run(this.#context);
    return this.#summary;
  }

  /**
   * Writes the newest checkpoint as a whole model in Hugging Face layout, an adapter merged, as `zerotir export` does.
   * @param folder a new or empty one
   * @throws UserError before `train` has saved a checkpoint, or when the folder is not empty
   */
  async saveModel(folder: string, dtype: DtypeName = "float32"): Promise<void> {
    const model = this.#summary?.checkpoint;
    if (model === undefined) throw new UserError("saveModel: nothing has been trained and saved yet; call train first");
    if (typeof folder !== "string" || folder === "")
      throw new UserError('saveModel: expected a folder to write into, such as "models/mine"');
    if (!dtypeNames.includes(dtype)) throw new UserError(`saveModel: ${dtype} is none of ${dtypeNames.join(", ")}`);
    const { exportCheckpoint } = await import("../run/export");
    await exportCheckpoint({ model, output: folder, dtype, adapterOnly: false });
  }
}
