/** The learner: the models and buffers that training changes or compares with, and their optimizer. */
import { UserError } from "../base/errors";
import { type FolderReader, readCritic } from "../model/folder";
import { withValueHead } from "../model/initialise";
import { Model } from "../model/model";
import { Optimizer } from "../model/optimizer";
import { readModel } from "../model/peft";
import { ForwardPass, type ScoringPass, type TrainingPass } from "../model/policy-pass";
import { ValuePass } from "../model/value-pass";
import { hasSharedCritic } from "../options/fields/critic";
import type { TrainOptions } from "../options/train";
import { createTrainer, type LoadedModel, type TrainerOptions } from "../session/loaded-model";
import { adapterOff } from "../session/reference";
import { Critic, criticFiles } from "./critic";
import { KlControl } from "./kl-control";

export interface Learner {
  readonly pass: TrainingPass;
  readonly optimizer: Optimizer;
  /** Of the model that training began with, where there is a KL penalty. */
  readonly reference?: ScoringPass;
  readonly kl: KlControl;
  /** With the estimator gae. */
  readonly critic?: Critic;
}

/** Options that decide which models and buffers a run trains with. */
export type LearnerOptions = TrainerOptions & Pick<TrainOptions, "beta" | "advantageEstimator" | "critic">;

/** Models and buffers as they are allocated, before weights are loaded into what is new. */
export interface LearnerParts {
  readonly pass: TrainingPass;
  readonly optimizer: Optimizer;
  /** A frozen copy, where the reference is not the model without its adapter. */
  readonly frozen?: { readonly model: Model; readonly pass: ForwardPass };
  /** A critic; model and optimizer where it has its own. */
  readonly critic?: {
    readonly pass: ValuePass;
    readonly own?: { readonly model: Model; readonly optimizer: Optimizer };
  };
  destroy(): void;
}

/** Allocates the training half of a run for a model. */
export function createLearner(model: Model, options: LearnerOptions): LearnerParts {
  const { pass, optimizer } = createTrainer({ model }, options);
  const { gpu, config, maxPositions, vocabulary, storage } = model;
  const kept = { vocabulary, storage };
  const owned: { destroy(): void }[] = [pass, optimizer];
  let frozen: LearnerParts["frozen"];
  if (options.beta !== 0 && model.adapter === undefined) {
    const { valueHead: _, ...plain } = config;
    const copy = new Model(gpu, plain, maxPositions, { ...kept, trained: "nothing", label: "reference" });
    frozen = { model: copy, pass: new ForwardPass(copy, pass.shape, "nothing", "reference") };
    owned.push(frozen.pass, copy);
  }
  let critic: LearnerParts["critic"];
  if (hasSharedCritic(options)) critic = { pass: new ValuePass(model, pass) };
  else if (options.advantageEstimator === "gae") {
    const own = new Model(gpu, { ...config, valueHead: "alone" }, maxPositions, { ...kept, label: "critic" });
    const ownOptimizer = new Optimizer(own, options.optim);
    critic = { pass: new ValuePass(own, pass), own: { model: own, optimizer: ownOptimizer } };
    owned.push(ownOptimizer, own);
  }
  if (critic !== undefined) owned.unshift(critic.pass);
  return {
    pass,
    optimizer,
    ...(frozen && { frozen }),
    ...(critic && { critic }),
    destroy() {
      for (const part of owned) part.destroy();
    },
  };
}

/**
 * Loads what the learner has beside the policy: a resumed run has the reference that it began with, and the critic of
 * its checkpoint.
 * @param find a folder by the name or path of a model
 */
export async function openLearner(
  { model }: LoadedModel,
  parts: LearnerParts,
  find: (nameOrPath: string) => FolderReader,
  resumeFolder: FolderReader | undefined,
  options: TrainOptions,
): Promise<Learner> {
  const start = async () => (await readModel(find(options.modelNameOrPath), find)).checkpoint;
  const { pass, optimizer, frozen, critic } = parts;
  if (frozen !== undefined) await frozen.model.load(await start());
  const own = critic?.own;
  if (own !== undefined)
    await own.model.load(
      resumeFolder === undefined
        ? withValueHead(await start(), "alone")
        : await readCritic(await criticFolder(resumeFolder)),
    );
  model.gpu.assertHealthy();
  const reference = frozen?.pass ?? (options.beta === 0 ? undefined : adapterOff(model, pass));
  return {
    pass,
    optimizer,
    kl: new KlControl(options),
    ...(reference && { reference }),
    ...(critic && { critic: new Critic(critic.pass, own, options) }),
  };
}

/** @throws UserError when the checkpoint is that of a run without a critic of its own */
async function criticFolder(checkpoint: FolderReader): Promise<FolderReader> {
  const critic = criticFiles.reader(checkpoint);
  if (((await critic.list()) ?? []).length > 0) return critic;
  throw new UserError(
    `${checkpoint.path}: was trained without a critic of its own (--advantage-estimator gae --critic separate); go on with the options that it had, or begin a new run from its weights with --model-name-or-path`,
  );
}
