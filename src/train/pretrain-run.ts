/** A run of next-token training: the loop around `nextTokenStep` with run folder, checkpoints and resume. */

import type { GpuContext } from "../gpu/context";
import { type ModelConfig, nanoConfig, parameterCount, parseModelConfig } from "../model/config";
import { initialWeights } from "../model/initialise";
import { Model } from "../model/model";
import { Optimizer } from "../model/optimizer";
import { TrainingPass } from "../model/training";
import { UserError } from "../model/user-error";
import { loadTraining, saveTraining } from "./checkpoint";
import { type DocumentSource, fileDocuments, nanoDocuments } from "./documents";
import type { TrainEvents, TrainSummary } from "./events";
import type { TrainingHost } from "./host";
import { afterPretraining } from "./next-commands";
import {
  LOGITS_BYTES,
  type LoadedModel,
  loadModel,
  loadTokenizerOf,
  MOST_ROWS,
  PAGE_SIZE,
  refuseMismatch,
} from "./policy";
import type { PretrainOptions } from "./pretrain-options";
import { fullyScored, nextTokenLoss, nextTokenStep, takeDocuments } from "./pretraining";
import { RunFolder } from "./run-folder";
import { learningRateAt } from "./schedule";

type PlacedPretrainOptions = Omit<PretrainOptions, "outputDir"> & { readonly outputDir: string };

/** The folder whose tokenizer `--model-config nano` uses. */
const NANO_TOKENIZER = "nano-base";
/** What limits a document, in the words of an error. */
const LENGTHS = "--max-length is";

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
  if (options.modelNameOrPath !== null && options.tokenizer !== null)
    throw new UserError(
      `--tokenizer is for new weights; ${options.modelNameOrPath} has its own tokenizer, so leave one of the two out`,
    );
  const begun = performance.now();
  events.onPhase("setup", { step: 0, waitingFor: "the GPU" });
  const resumeFolder =
    options.resumeFromCheckpoint === null
      ? undefined
      : await host.checkpointFolder(options.resumeFromCheckpoint, options.outputDir);
  const gpu = await host.openGpu(options);
  const loaded =
    resumeFolder === undefined
      ? await startingModel(gpu, options, host)
      : await loadModel(gpu, resumeFolder, options.maxLength, LENGTHS);
  const documents = await openDocuments(options, host, loaded);
  const optimizer = new Optimizer(loaded.model);
  const state = resumeFolder === undefined ? undefined : await loadTraining(resumeFolder, optimizer, options.seed);
  const firstStep = state?.global_step ?? 0;
  const pass = new TrainingPass(loaded.model, {
    rows: Math.max(
      Math.min(options.microBatchTokens ?? MOST_ROWS, options.tokensPerStep + options.maxLength),
      options.maxLength,
    ),
    sequences: Math.ceil(options.tokensPerStep / 2),
    sequenceLength: options.maxLength,
    pageSize: PAGE_SIZE,
    recompute: options.gradientCheckpointing,
    logitsBytes: LOGITS_BYTES,
  });
  const files = host.runFiles(options.outputDir);
  const folder =
    state === undefined
      ? await RunFolder.start(files, configYaml)
      : await RunFolder.resume(files, configYaml, firstStep);
  events.onPlan({
    command: "pretrain",
    model: options.modelNameOrPath ?? `new, ${options.modelConfig}`,
    parameters: parameterCount(loaded.model.config),
    adapter: gpu.profile.adapterName,
    dataset: documents.name,
    firstStep,
    maxSteps: options.maxSteps,
    batch: `${options.tokensPerStep} tokens`,
    runFolder: folder.path,
  });
  const heldOut = documents.heldOut(options.evalSamples).map((ids) => fullyScored(ids.subarray(0, options.maxLength)));
  const evaluate = async () => {
    if (heldOut.length === 0) return null;
    events.onPhase("evaluate", { step });
    return nextTokenLoss(pass, heldOut);
  };
  let step = firstStep;
  const before = await evaluate();

  const stream = documents.train();
  // The stream is a function of the seed, so a resumed run reads past what was trained on.
  for (let step = 1; step <= firstStep; step++) takeDocuments(stream, options.tokensPerStep, options.maxLength);
  let numTokens = state?.num_tokens ?? 0;
  let lastSaved: string | undefined = resumeFolder?.path;
  const save = async () => {
    events.onPhase("save", { step });
    const fields = { global_step: step, num_tokens: numTokens, seed: options.seed };
    lastSaved = await folder.saveCheckpoint(
      step,
      (writer) => saveTraining(writer, loaded, optimizer, fields),
      options.saveTotalLimit,
    );
    events.onCheckpoint({ step, path: lastSaved });
  };
  const due = () => step === options.maxSteps || (options.saveSteps > 0 && step % options.saveSteps === 0);
  while (step < options.maxSteps && !signal?.aborted) {
    const stepBegun = performance.now();
    events.onPhase("update", { step: step + 1 });
    const learningRate = learningRateAt(schedule(options), step + 1);
    const batch = takeDocuments(stream, options.tokensPerStep, options.maxLength);
    const result = await nextTokenStep(pass, optimizer, batch, {
      learningRate,
      beta1: options.adamBeta1,
      beta2: options.adamBeta2,
      epsilon: options.adamEpsilon,
      weightDecay: options.weightDecay,
      maxNorm: options.maxGradNorm ?? 0,
    });
    if (!Number.isFinite(result.gradNorm))
      throw new UserError(
        `pretraining diverged at step ${step + 1}: the gradient norm is ${result.gradNorm}; use a smaller --learning-rate than ${options.learningRate}`,
      );
    step++;
    numTokens += result.tokens;
    const seconds = (performance.now() - stepBegun) / 1000;
    const row = {
      step,
      loss: result.loss,
      grad_norm: result.gradNorm,
      learning_rate: learningRate,
      num_tokens: numTokens,
      step_time: seconds,
      "perf/throughput": result.tokens / seconds,
    };
    if (step % options.loggingSteps === 0) await folder.logMetrics(row);
    events.onStep(row);
    if (due()) await save();
  }
  if (!due() && step > firstStep) await save();
  const after = await evaluate();
  const summary: TrainSummary = {
    outcome: step < options.maxSteps ? "interrupted" : "finished",
    step,
    seconds: (performance.now() - begun) / 1000,
    table: heldOut.length === 0 ? [] : [{ name: "held-out loss, nats per token", before, after, unit: "number" }],
    runFolder: folder.path,
    ...(lastSaved === undefined ? {} : { checkpoint: lastSaved }),
    next: afterPretraining(options, folder.path, lastSaved, step < options.maxSteps),
  };
  events.onFinish(summary);
  for (const part of [pass, optimizer, loaded.model]) part.destroy();
  return summary;
}

/** New weights by the config, or those of a checkpoint. */
async function startingModel(gpu: GpuContext, options: PretrainOptions, host: TrainingHost): Promise<LoadedModel> {
  if (options.modelNameOrPath !== null)
    return loadModel(gpu, host.modelFolder(options.modelNameOrPath), options.maxLength, LENGTHS);
  const tokenizerFolder = host.modelFolder(options.tokenizer ?? NANO_TOKENIZER);
  const { tokenizer, companions } = await loadTokenizerOf(tokenizerFolder);
  const config = options.modelConfig === "nano" ? nanoConfig(tokenizer) : await readConfig(options.modelConfig, host);
  refuseMismatch(options.modelConfig, config, tokenizer, options.maxLength, LENGTHS);
  const model = new Model(gpu, config, options.maxLength, { vocabulary: tokenizer.vocabularySize });
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
  options: PretrainOptions,
  host: TrainingHost,
  loaded: LoadedModel,
): Promise<DocumentSource> {
  if (options.dataset === "nano") return nanoDocuments(options.seed, loaded.tokenizer);
  return fileDocuments(await host.readText(options.dataset), options.dataset, options.seed, loaded.tokenizer);
}

function schedule(options: PretrainOptions) {
  return {
    name: options.lrSchedulerType,
    peak: options.learningRate,
    warmupSteps: options.warmupSteps,
    totalSteps: options.maxSteps,
    finalFraction: options.minLrRate,
    decayFraction: options.lrDecayShare,
  };
}
