/** Training on preferences: pairs of a preferred and a rejected answer, against the model that training began with. */

import { UserError } from "../base/errors";
import { SequenceScorer } from "../model/sequence-scorer";
import type { DpoOptions } from "../options/supervised";
import type { TrainEvents, TrainSummary } from "../session/events";
import type { TrainingHost } from "../session/host";
import { LOGITS_BYTES, loadModel } from "../session/loaded-model";
import { afterSupervised } from "../session/next-commands";
import { promptFrame } from "../session/prompt-frame";
import { fileRows } from "../session/questions";
import { findResume } from "../session/resume";
import { chatTemplate } from "../text/chat-template";
import { jsonLines } from "./json-lines";
import {
  type PreferenceResult,
  pairOf,
  preferenceFigures,
  preferenceStep,
  type Reference,
  referenceOf,
} from "./preferences";
import { rowsOfStep, stepCount } from "./supervised-rows";
import { createSupervisedTrainer, runSupervised } from "./supervised-run";

const LENGTHS = "--max-length is";

/**
 * Trains on the pairs of `--dataset` and returns the closing summary. The reference is the model without its adapter, or a frozen copy of --model-name-or-path.
 * @throws UserError for what the user can repair, and when the gradient is no longer finite
 */
export async function runDpo(
  options: Omit<DpoOptions, "outputDir"> & { readonly outputDir: string },
  configYaml: string,
  host: TrainingHost,
  events: TrainEvents,
  signal?: AbortSignal,
): Promise<TrainSummary> {
  const begun = performance.now();
  const resumeFolder = await findResume(options, host, events);
  const gpu = await host.openGpu(options);
  events.onPhase("setup", { step: 0, waitingFor: "the model" });
  const start = host.modelFolder(options.modelNameOrPath);
  const training = { ...options, base: resumeFolder === undefined ? options.modelNameOrPath : undefined };
  const kept = { dtype: options.dtype, training };
  const loaded = await loadModel(gpu, resumeFolder ?? start, host.modelFolder, kept, options.maxLength, LENGTHS);
  const { model, tokenizer, companions } = loaded;
  const frozen =
    model.adapter === undefined
      ? (await loadModel(gpu, start, host.modelFolder, { dtype: options.dtype }, options.maxLength, LENGTHS)).model
      : undefined;
  const scorer = new SequenceScorer(frozen ?? model, options.maxLength, LOGITS_BYTES);
  const plain = referenceOf(scorer);
  const reference: Reference = async (sequence) => {
    if (frozen !== undefined) return plain(sequence);
    model.useAdapter(false);
    try {
      return await plain(sequence);
    } finally {
      model.useAdapter(true);
    }
  };
  const { dataset, maxLength, seed, perDeviceTrainBatchSize: batchSize } = options;
  const context = { tokenizer, frame: promptFrame(options, companions), chat: chatTemplate(companions) };
  const all = jsonLines(await host.readText(dataset), dataset).map((row) => pairOf(row, context));
  // A cut answer is another answer, so a pair that is too long is left out whole.
  const pairs = all.filter(({ chosen, rejected }) => Math.max(chosen.ids.length, rejected.ids.length) <= maxLength);
  if (pairs.length === 0) throw new UserError(`${dataset}: every pair is longer than --max-length ${maxLength}`);
  if (pairs.length < all.length)
    events.onNotice(`${all.length - pairs.length} of ${all.length} pairs are longer than --max-length and left out`);
  const source = fileRows(dataset, pairs, seed, options.evalSamples === 0 ? [] : undefined);
  const heldOut = source.heldOut(options.evalSamples);
  const objective = { lossType: options.lossType, beta: options.beta, likelihoodWeight: options.rpoAlpha };
  const rows = 2 * maxLength;
  const trainer = createSupervisedTrainer(
    loaded,
    { ...options, microBatchTokens: options.microBatchTokens && Math.max(options.microBatchTokens, rows) },
    Math.max(rows, batchSize * rows),
    2 * batchSize,
  );
  const { pass, optimizer } = trainer;
  return runSupervised(
    trainer,
    {
      command: "dpo",
      model: options.modelNameOrPath,
      dataset,
      batch: `${batchSize} pairs`,
      async step(step, settings) {
        const batch = rowsOfStep(source, step, batchSize);
        const result = await preferenceStep(pass, optimizer, reference, batch, objective, settings);
        const tokens = batch.reduce((sum, { chosen, rejected }) => sum + chosen.ids.length + rejected.ids.length, 0);
        return { gradNorm: result.gradNorm, tokens, metrics: { loss: result.loss, ...rewardMetrics(result) } };
      },
      async evaluate(): Promise<Record<string, number>> {
        if (heldOut.length === 0) return {};
        const figures = await preferenceFigures(pass, reference, heldOut, objective);
        return { "held-out loss": figures.loss, ...rewardMetrics(figures) };
      },
      next: afterSupervised,
      destroy() {
        scorer.destroy();
        frozen?.destroy();
      },
    },
    {
      options: { ...options, maxSteps: stepCount(options, source) },
      configYaml,
      host,
      events,
      resumeFolder,
      signal,
      begun,
    },
  );
}

/** TRL's names. */
function rewardMetrics({ chosenReward, rejectedReward, accuracy }: PreferenceResult) {
  return {
    "rewards/chosen": chosenReward,
    "rewards/rejected": rejectedReward,
    "rewards/margins": chosenReward - rejectedReward,
    "rewards/accuracies": accuracy,
  };
}
