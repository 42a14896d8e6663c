/** Training on preferences: pairs of a preferred and a rejected answer, against the model that training began with. */
import { UserError } from "../base/errors";
import { readJsonLines } from "../base/json";
import { ForwardPass, type ScoringPass } from "../model/policy-pass";
import type { DpoOptions } from "../options/supervised";
import type { TrainEvents, TrainSummary } from "../session/events";
import type { TrainingHost } from "../session/host";
import { loadModel } from "../session/loaded-model";
import { afterSupervised } from "../session/next-commands";
import { promptFrame } from "../session/prompt-frame";
import { fileRows } from "../session/questions";
import { adapterOff } from "../session/reference";
import { chatTemplate } from "../text/chat-template";
import { pairOf } from "./examples";
import {
  createSupervisedTrainer,
  LENGTHS,
  type Opening,
  openTrained,
  rowsOfStep,
  runSupervised,
  type SupervisedTrainer,
  stepCount,
} from "./loop";
import { type PreferenceResult, preferenceFigures, preferenceStep, referenceOf } from "./preferences";

type PlacedDpoOptions = Omit<DpoOptions, "outputDir"> & { readonly outputDir: string };

/**
 * Trains on the pairs of `--dataset` and returns the closing summary. The reference is the model without its adapter,
 * or a frozen copy of --model-name-or-path.
 * @throws UserError for what the user can repair, and when the gradient is no longer finite
 */
export function runDpo(
  options: PlacedDpoOptions,
  configYaml: string,
  host: TrainingHost,
  events: TrainEvents,
  signal?: AbortSignal,
): Promise<TrainSummary> {
  return runSupervised({ options, configYaml, host, events, signal }, async (opening) => {
    const loaded = await openTrained(opening, options, options.modelNameOrPath);
    const { tokenizer, companions } = loaded;
    const { dataset, maxLength, seed, perDeviceTrainBatchSize: batchSize } = options;
    const context = { tokenizer, frame: promptFrame(options, companions), chat: chatTemplate(companions) };
    const all = readJsonLines(await host.readText(dataset), dataset).map((row) => pairOf(row, context));
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
      opening.closers,
    );
    const { pass, optimizer } = trainer;
    const reference = referenceOf(await openReference(opening, options, trainer));
    return {
      command: "dpo",
      trainer,
      model: options.modelNameOrPath,
      dataset,
      maxSteps: stepCount(options, source),
      batch: `${batchSize} pairs`,
      async step(step, settings) {
        const batch = rowsOfStep(source, step, batchSize);
        const result = await preferenceStep(pass, optimizer, reference, batch, objective, settings);
        const tokens = batch.reduce((sum, { chosen, rejected }) => sum + chosen.ids.length + rejected.ids.length, 0);
        return { gradNorm: result.gradNorm, tokens, metrics: { loss: result.loss, ...rewardMetrics(result) } };
      },
      async evaluate(stop): Promise<Record<string, number>> {
        if (heldOut.length === 0) return {};
        const figures = await preferenceFigures(pass, reference, heldOut, objective, { signal: stop });
        return { "held-out loss": figures.loss, ...rewardMetrics(figures) };
      },
      next: afterSupervised,
    };
  });
}

/** The model without its adapter, or a frozen copy of the one that training began with. */
async function openReference(
  { gpu, find, closers }: Opening,
  options: PlacedDpoOptions,
  { loaded: { model }, pass }: SupervisedTrainer,
): Promise<ScoringPass> {
  if (model.adapter !== undefined) return adapterOff(model, pass);
  const kept = { dtype: options.dtype };
  const { model: frozen } = closers.keep(
    await loadModel(gpu, find(options.modelNameOrPath), find, kept, options.maxLength, LENGTHS),
    (loaded) => loaded.model.destroy(),
  );
  return closers.keep(new ForwardPass(frozen, pass.shape, "nothing", "reference"), (each) => each.destroy());
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
