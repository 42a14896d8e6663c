/** Next-token training on documents, from new weights or from a checkpoint's. */
import { UserError } from "../base/errors";
import { type ModelConfig, nanoConfig, parseModelConfig } from "../model/config";
import { initialWeights } from "../model/initialise";
import { fullyScored } from "../model/micro-batches";
import { Model } from "../model/model";
import type { TrainingSequence } from "../model/sequences";
import { storageOf } from "../options/fields/adapter";
import { type PretrainOptions, parseMixture } from "../options/supervised";
import type { TrainEvents, TrainSummary } from "../session/events";
import type { TrainingHost } from "../session/host";
import { type LoadedModel, loadTokenizerOf, refuseMismatch } from "../session/loaded-model";
import { afterPretraining } from "../session/next-commands";
import { type DocumentSource, fileDocuments, mixedDocuments, nanoDocuments, takeDocuments } from "./documents";
import { likelihood, likelihoodStep } from "./likelihood";
import { createSupervisedTrainer, LENGTHS, type Opening, openTrained, runSupervised } from "./loop";

type PlacedPretrainOptions = Omit<PretrainOptions, "outputDir"> & { readonly outputDir: string };

/** The folder whose tokenizer `--model-config nano` uses. */
const NANO_TOKENIZER = "nano-base";
const HELD_OUT = "held-out loss, nats per token";

/**
 * Trains from new weights, or on from a checkpoint, and returns the closing summary. An abort ends the run after
 * saving.
 * @throws UserError for what the user can repair, and when the gradient is no longer finite
 */
export function runPretraining(
  options: PlacedPretrainOptions,
  configYaml: string,
  host: TrainingHost,
  events: TrainEvents,
  signal?: AbortSignal,
): Promise<TrainSummary> {
  return runSupervised({ options, configYaml, host, events, signal }, async (opening) => {
    const { modelNameOrPath, maxLength, tokensPerStep } = options;
    const loaded =
      modelNameOrPath === null && opening.resumeFolder === undefined
        ? await newModel(opening, options, host)
        : await openTrained(opening, options, modelNameOrPath);
    const sources = await Promise.all(
      parseMixture(options.dataset).map(async ({ dataset, weight }) => ({
        source: await openDocuments(dataset, options.seed, host, loaded),
        weight,
      })),
    );
    const trainer = createSupervisedTrainer(
      loaded,
      options,
      tokensPerStep + maxLength,
      Math.ceil(tokensPerStep / 2),
      opening.closers,
    );
    const { pass, optimizer } = trainer;
    const stream = mixedDocuments(sources, maxLength);
    let taken = 0;
    const heldOut = sources.map(({ source }) => ({
      name: sources.length === 1 ? HELD_OUT : `${HELD_OUT}: ${source.name}`,
      documents: source.heldOut(options.evalSamples).map((ids) => fullyScored(ids.subarray(0, maxLength))),
    }));
    return {
      command: "pretrain",
      trainer,
      model: modelNameOrPath ?? `new, ${options.modelConfig}`,
      dataset: options.dataset,
      maxSteps: options.maxSteps,
      batch: `${tokensPerStep} tokens`,
      async step(step, settings) {
        let batch: TrainingSequence[] = [];
        // The stream is a function of the seed, so a resumed run reads past what was trained on.
        for (; taken < step; taken++) batch = takeDocuments(stream, tokensPerStep, maxLength);
        const { loss, gradNorm, tokens } = await likelihoodStep(pass, optimizer, batch, settings);
        return { gradNorm, tokens, metrics: { loss } };
      },
      async evaluate(stop) {
        const figures: Record<string, number> = {};
        for (const { name, documents } of heldOut)
          if (documents.length > 0) figures[name] = (await likelihood(pass, documents, stop)).loss;
        return figures;
      },
      next: (checkpoint) => afterPretraining(options.dataset, checkpoint),
    };
  });
}

/** New weights by the config. */
async function newModel(
  { gpu, find, closers }: Opening,
  options: PretrainOptions,
  host: TrainingHost,
): Promise<LoadedModel> {
  const { tokenizer, companions } = await loadTokenizerOf(find(options.tokenizer ?? NANO_TOKENIZER));
  const config = options.modelConfig === "nano" ? nanoConfig(tokenizer) : await readConfig(options.modelConfig, host);
  refuseMismatch(options.modelConfig, config, tokenizer, options.maxLength, LENGTHS);
  const model = closers.keep(
    new Model(gpu, config, options.maxLength, {
      vocabulary: tokenizer.vocabularySize,
      storage: storageOf[options.dtype],
    }),
    (each) => each.destroy(),
  );
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
