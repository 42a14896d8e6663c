/** The policy of a run: one model, with the buffers to sample from it and to train it, sized before the first step. */

import { UserError } from "../base/errors";
import type { GpuContext } from "../gpu/context";
import type { ModelConfig } from "../model/config";
import { type FolderReader, readText } from "../model/folder";
import { initialAdapter, withValueHead } from "../model/initialise";
import { Model } from "../model/model";
import { Optimizer } from "../model/optimizer";
import { readModel } from "../model/peft";
import { TrainingPass } from "../model/policy-pass";
import {
  type DtypeOptions,
  newAdapter,
  type PeftOptions,
  refuseOtherAdapter,
  storageOf,
} from "../options/fields/adapter";
import type { TrainOptions } from "../options/train";
import { GpuDecoder } from "../rollout/decoder";
import { isCharacterConfig } from "../text/character-tokenizer";
import { loadTokenizer } from "../text/load-tokenizer";
import type { Tokenizer } from "../text/tokenizer";

/** Tokens per KV page. */
export const PAGE_SIZE = 8;
/** Most bytes for one chunk of logits. */
export const LOGITS_BYTES = 64 * 2 ** 20;
/** Training activations may take this much unless --micro-batch-tokens says otherwise. */
const ACTIVATION_BYTES = 256 * 2 ** 20;
/** Most rows of a micro-batch, whatever memory allows. */
export const MOST_ROWS = 8192;

/** A model with its tokenizer, ready to be sampled from. */
export interface LoadedModel {
  readonly config: ModelConfig;
  /** Tokenizer and template files, which travel with the weights. */
  readonly companions: ReadonlyMap<string, string>;
  readonly tokenizer: Tokenizer;
  readonly model: Model;
  /** Name or path of the model that the adapter, where there is one, stands on. */
  readonly base?: string;
}

/** Options of a run that trains the model; without them it is only used. */
type TrainingUse = PeftOptions & {
  /** The model that a new adapter would stand on; undefined when the folder is a checkpoint to go on from. */
  readonly base: string | undefined;
  readonly seed: number;
  /** Gives the model a value head beside its logits, unless it has one. */
  readonly valueHead?: boolean;
};

/**
 * Reads a Hugging Face or PEFT folder and puts its weights on the GPU. A run with --use-peft gets a new adapter where
 * the folder has none.
 * @param find a folder by the name or path of a model, for the base of an adapter
 * @param maxPositions longest sequence that will be computed
 * @param lengths the options that make it so
 */
export async function loadModel(
  gpu: GpuContext,
  folder: FolderReader,
  find: (nameOrPath: string) => FolderReader,
  options: DtypeOptions & { readonly training?: TrainingUse },
  maxPositions: number,
  lengths = "--max-prompt-length plus --max-completion-length are",
): Promise<LoadedModel> {
  const { training } = options;
  const { checkpoint: stored, adapter, folder: whole } = await readModel(folder, find);
  const needsHead = training?.valueHead === true;
  if (needsHead && training?.base === undefined && stored.config.valueHead === undefined)
    throw new UserError(
      `${folder.path}: was trained without a critic on its trunk (--advantage-estimator gae --critic shared); go on with the options that it had, or begin a new run from its weights with --model-name-or-path`,
    );
  const checkpoint = needsHead ? withValueHead(stored, "shared") : stored;
  const { config, companions } = checkpoint;
  const { tokenizer } = await loadTokenizerOf(companions.has("tokenizer.json") ? folder : whole);
  refuseMismatch(folder.path, config, tokenizer, maxPositions, lengths);
  if (adapter !== undefined && training !== undefined) refuseOtherAdapter(folder.path, training, adapter.config);
  const made = adapter === undefined && training?.usePeft === true ? newAdapter(training) : undefined;
  if (made !== undefined && training?.base === undefined)
    throw new UserError(`${folder.path}: was trained without an adapter; leave --use-peft out to go on with it`);
  const model = new Model(gpu, config, maxPositions, {
    vocabulary: tokenizer.vocabularySize,
    storage: storageOf[options.dtype],
    trained: adapter?.config ?? made ?? (training === undefined ? "nothing" : "everything"),
  });
  await model.load(checkpoint);
  if (adapter !== undefined) for await (const tensor of adapter.tensors()) model.trained.upload(tensor);
  else if (model.adapter !== undefined && training !== undefined)
    for (const tensor of initialAdapter(model.adapter.layout, training.seed)) model.trained.upload(tensor);
  gpu.assertHealthy();
  const base = adapter?.base ?? training?.base;
  return { config, companions, tokenizer, model, ...(base !== undefined && { base }) };
}

/** @throws UserError when the tokenizer has ids, or the sequences positions, that the model has not */
export function refuseMismatch(
  where: string,
  config: ModelConfig,
  tokenizer: Tokenizer,
  maxPositions: number,
  lengths: string,
): void {
  if (tokenizer.vocabularySize > config.vocabularySize)
    throw new UserError(
      `${where}: tokenizer.json has ${tokenizer.vocabularySize} tokens, the model's embedding ${config.vocabularySize}; they belong to different models`,
    );
  if (maxPositions > config.maxPositions)
    throw new UserError(
      `${where}: the model has ${config.maxPositions} positions, and ${lengths} ${maxPositions}; choose less`,
    );
}

/** A folder's tokenizer and its files. @throws UserError when tokenizer.json is missing or not what it should be */
export async function loadTokenizerOf(
  folder: FolderReader,
): Promise<{ tokenizer: Tokenizer; companions: ReadonlyMap<string, string> }> {
  const companions = new Map<string, string>();
  const parse = async (name: string): Promise<unknown> => {
    const text = await readText(folder, name);
    if (text === undefined) return undefined;
    companions.set(name, text);
    try {
      return JSON.parse(text);
    } catch {
      throw new UserError(`${folder.path}/${name}: not JSON; get the file again from where the model came from`);
    }
  };
  const json = await parse("tokenizer.json");
  const config = (await parse("tokenizer_config.json")) ?? {};
  if (json === undefined && (await folder.list()) === undefined)
    throw new UserError(`${folder.path}: no such folder; expected one with tokenizer.json and tokenizer_config.json`);
  if (json === undefined && !isCharacterConfig(config))
    throw new UserError(
      `${folder.path}: has no tokenizer.json, which turning text into token ids needs; add the model's own`,
    );
  return { tokenizer: loadTokenizer(json, config), companions };
}

/** Every id that ends a text: those of the config and the tokenizer's. */
export function eosTokenIds(loaded: LoadedModel): number[] {
  return [...new Set([...loaded.config.eosTokenIds, loaded.tokenizer.eosId])];
}

/** A decoder for `trajectories` at once. Its sampling settings are set before each rollout. */
export function createDecoder(
  { model }: Pick<LoadedModel, "model">,
  options: Pick<TrainOptions, "maxPromptLength" | "maxCompletionLength" | "concurrency">,
  trajectories: number,
): GpuDecoder {
  const slots = Math.min(options.concurrency ?? trajectories, trajectories);
  const maxLength = options.maxPromptLength + options.maxCompletionLength;
  // One page more than its tokens need for every slot: its copy of a prompt's last page.
  const pages = slots * (Math.ceil(maxLength / PAGE_SIZE) + 1) + Math.ceil(options.maxPromptLength / PAGE_SIZE);
  return new GpuDecoder(
    model,
    {
      slots,
      maxLength,
      pageSize: PAGE_SIZE,
      pages,
      maxRows: Math.max(slots, Math.min(1024, 4 * slots), options.maxPromptLength),
      logitsBytes: LOGITS_BYTES,
    },
    { temperature: 1, topK: 0, topP: 1, minP: 0, seed: [0, 0] },
  );
}

/** Options that decide the sizes of {@link createTrainer}. */
export type TrainerOptions = Pick<
  TrainOptions,
  | "maxPromptLength"
  | "maxCompletionLength"
  | "microBatchTokens"
  | "gradientCheckpointing"
  | "numGenerations"
  | "promptsPerStep"
  | "optim"
>;

/** The training half: gradients, activations, optimizer. */
export function createTrainer(
  { model }: Pick<LoadedModel, "model">,
  options: TrainerOptions,
): { pass: TrainingPass; optimizer: Optimizer } {
  const sequenceLength = options.maxPromptLength + options.maxCompletionLength;
  const trajectories = options.numGenerations * options.promptsPerStep;
  const fitting = Math.floor(ACTIVATION_BYTES / bytesPerRow(model.config, options.gradientCheckpointing));
  const wanted = options.microBatchTokens ?? Math.min(MOST_ROWS, fitting, trajectories * sequenceLength);
  const pass = new TrainingPass(model, {
    rows: Math.max(wanted, sequenceLength),
    sequences: trajectories,
    sequenceLength,
    pageSize: PAGE_SIZE,
    recompute: options.gradientCheckpointing,
    logitsBytes: LOGITS_BYTES,
  });
  return { pass, optimizer: new Optimizer(model, options.optim) };
}

/** Bytes of activations and their gradients for one row of a micro-batch, as the classes of src/model allocate them. */
function bytesPerRow(config: ModelConfig, recompute: boolean): number {
  const queries = config.headCount * config.headDim;
  const keys = config.kvHeadCount * config.headDim;
  const layer = 4 * config.hiddenSize + 3 * queries + 2 * keys + 3 * config.intermediateSize + config.headCount;
  const kept = config.layerCount * (config.hiddenSize + 2 * keys) + (recompute ? 1 : config.layerCount) * layer;
  const workspace = 4 * config.hiddenSize + 4 * queries + 5 * keys + 3 * config.intermediateSize;
  return 4 * (kept + workspace);
}
