/** Next-token training on documents, from new weights or from a checkpoint's. */

import { UserError } from "../base/errors";
import type { GpuContext } from "../gpu/context";
import { type ModelConfig, nanoConfig, parseModelConfig } from "../model/config";
import { initialWeights } from "../model/initialise";
import { fullyScored } from "../model/micro-batches";
import { Model } from "../model/model";
import type { TrainingSequence } from "../model/policy-pass";
import { storageOf } from "../options/fields/adapter";
import type { PretrainOptions } from "../options/supervised";
import type { TrainEvents, TrainSummary } from "../session/events";
import type { TrainingHost } from "../session/host";
import { type LoadedModel, loadModel, loadTokenizerOf, refuseMismatch } from "../session/loaded-model";
import { afterPretraining } from "../session/next-commands";
import { findResume } from "../session/resume";
import { type DocumentSource, fileDocuments, nanoDocuments } from "./documents";
import { mixedDocuments, parseMixture } from "./mixture";
import { likelihood, likelihoodStep, takeDocuments } from "./pretraining";
import { createSupervisedTrainer, runSupervised, type SupervisedTask, type SupervisedTrainer } from "./supervised-run";

type PlacedPretrainOptions = Omit<PretrainOptions, "outputDir"> & { readonly outputDir: string };

/** The folder whose tokenizer `--model-config nano` uses. */
const NANO_TOKENIZER = "nano-base";
/** What limits a document, in the words of an error. */
const LENGTHS = "--max-length is";
const HELD_OUT = "held-out loss, nats per token";

/**
 * Trains from new weights, or on from a checkpoint, and returns the closing summary. An abort ends the run after saving.
 * @throws UserError for what the user can repair, and when the gradient is no longer finite
 */
export async function runPretraining(
  options: PlacedPretrainOptions,
  configYaml: string,
  host: TrainingHost,
  events: TrainEvents,
  signal?: AbortSignal,
): Promise<TrainSummary> {
  const begun = performance.now();
  const parts = parseMixture(options.dataset);
  const resumeFolder = await findResume(options, host, events);
  const gpu = await host.openGpu(options);
  events.onPhase("setup", { step: 0, waitingFor: "the model" });
  const loaded =
    resumeFolder === undefined
      ? await startingModel(gpu, options, host)
      : await loadModel(
          gpu,
          resumeFolder,
          host.modelFolder,
          trainingUse(options, undefined),
          options.maxLength,
          LENGTHS,
        );
  const sources = await Promise.all(
    parts.map(async ({ dataset, weight }) => ({
      source: await openDocuments(dataset, options.seed, host, loaded),
      weight,
    })),
  );
  const trainer = createSupervisedTrainer(
    loaded,
    options,
    options.tokensPerStep + options.maxLength,
    Math.ceil(options.tokensPerStep / 2),
  );
  return runSupervised(trainer, pretraining(options, trainer, sources), {
    options,
    configYaml,
    host,
    events,
    resumeFolder,
    signal,
    begun,
  });
}

interface WeightedSource {
  readonly source: DocumentSource;
  readonly weight: number;
}

function pretraining(
  options: PretrainOptions,
  { pass, optimizer }: SupervisedTrainer,
  sources: readonly WeightedSource[],
): SupervisedTask {
  const stream = mixedDocuments(sources, options.maxLength);
  let taken = 0;
  const heldOut = sources.map(({ source }) => ({
    name: sources.length === 1 ? HELD_OUT : `${HELD_OUT}: ${source.name}`,
    documents: source.heldOut(options.evalSamples).map((ids) => fullyScored(ids.subarray(0, options.maxLength))),
  }));
  return {
    command: "pretrain",
    model: options.modelNameOrPath ?? `new, ${options.modelConfig}`,
    dataset: options.dataset,
    batch: `${options.tokensPerStep} tokens`,
    async step(step, settings) {
      let batch: TrainingSequence[] = [];
      // The stream is a function of the seed, so a resumed run reads past what was trained on.
      for (; taken < step; taken++) batch = takeDocuments(stream, options.tokensPerStep, options.maxLength);
      const { loss, gradNorm, tokens } = await likelihoodStep(pass, optimizer, batch, settings);
      return { gradNorm, tokens, metrics: { loss } };
    },
    async evaluate() {
      const figures: Record<string, number> = {};
      for (const { name, documents } of heldOut)
        if (documents.length > 0) figures[name] = (await likelihood(pass, documents)).loss;
      return figures;
    },
    next: (checkpoint) => afterPretraining(options.dataset, checkpoint),
    destroy: () => {},
  };
}

function trainingUse(options: PretrainOptions, base: string | undefined) {
  return { dtype: options.dtype, training: { ...options, base } };
}

/** New weights by the config, or those of a checkpoint. */
async function startingModel(gpu: GpuContext, options: PretrainOptions, host: TrainingHost): Promise<LoadedModel> {
  if (options.modelNameOrPath !== null)
    return loadModel(
      gpu,
      host.modelFolder(options.modelNameOrPath),
      host.modelFolder,
      trainingUse(options, options.modelNameOrPath),
      options.maxLength,
      LENGTHS,
    );
  const tokenizerFolder = host.modelFolder(options.tokenizer ?? NANO_TOKENIZER);
  const { tokenizer, companions } = await loadTokenizerOf(tokenizerFolder);
  const config = options.modelConfig === "nano" ? nanoConfig(tokenizer) : await readConfig(options.modelConfig, host);
  refuseMismatch(options.modelConfig, config, tokenizer, options.maxLength, LENGTHS);
  const model = new Model(gpu, config, options.maxLength, {
    vocabulary: tokenizer.vocabularySize,
    storage: storageOf[options.dtype],
  });
  for (const tensor of initialWeights(config, options.seed)) model.upload(tensor);
  return { config, companions, tokenizer, model };
}

async function readConfig(path: string, host: TrainingHost): Promise<ModelConfig> {
  const text = await host.readText(path);
  try {
    return parseModelConfig(JSON.parse(text), path);
  } catch (error) {
    if (error instanceof SyntaxError) throw new UserError(`${path}: not JSON; expected a Hugging Face config.json`);
    throw error;
  }
}

async function openDocuments(
  dataset: string,
  seed: number,
  host: TrainingHost,
  { tokenizer }: LoadedModel,
): Promise<DocumentSource> {
  if (dataset === "nano") return nanoDocuments(seed, tokenizer);
  return fileDocuments(await host.readText(dataset), dataset, seed, tokenizer);
}
