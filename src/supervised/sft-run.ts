/** Supervised fine-tuning: maximum likelihood of response tokens, given what stands before them. */

import { UserError } from "../base/errors";
import { countTokens } from "../model/micro-batches";
import type { TrainingSequence } from "../model/policy-pass";
import type { SftOptions } from "../options/supervised";
import type { TrainEvents, TrainSummary } from "../session/events";
import type { TrainingHost } from "../session/host";
import { type LoadedModel, loadModel } from "../session/loaded-model";
import { afterSupervised } from "../session/next-commands";
import { promptFrame } from "../session/prompt-frame";
import { fileRows, type RowSource } from "../session/questions";
import { findResume } from "../session/resume";
import { chatTemplate } from "../text/chat-template";
import { jsonLines } from "./json-lines";
import { likelihood, likelihoodStep } from "./pretraining";
import { cut, exampleOf, rewardOf } from "./sft-examples";
import { rowsOfStep, stepCount } from "./supervised-rows";
import { createSupervisedTrainer, runSupervised } from "./supervised-run";
import { syntheticExamples } from "./synthetic-examples";

/**
 * Trains on the responses of `--dataset` and returns the closing summary. An abort ends the run after saving.
 * @throws UserError for what the user can repair, and when the gradient is no longer finite
 */
export async function runSft(
  options: Omit<SftOptions, "outputDir"> & { readonly outputDir: string },
  configYaml: string,
  host: TrainingHost,
  events: TrainEvents,
  signal?: AbortSignal,
): Promise<TrainSummary> {
  const begun = performance.now();
  const resumeFolder = await findResume(options, host, events);
  const gpu = await host.openGpu(options);
  events.onPhase("setup", { step: 0, waitingFor: "the model" });
  const folder = resumeFolder ?? host.modelFolder(options.modelNameOrPath);
  const training = { ...options, base: resumeFolder === undefined ? options.modelNameOrPath : undefined };
  const loaded = await loadModel(
    gpu,
    folder,
    host.modelFolder,
    { dtype: options.dtype, training },
    options.maxLength,
    "--max-length is",
  );
  const examples = await openExamples(options, host, loaded, (line) => events.onNotice(line));
  const batchSize = options.perDeviceTrainBatchSize;
  const trainer = createSupervisedTrainer(loaded, options, batchSize * options.maxLength, batchSize);
  const { pass, optimizer } = trainer;
  const heldOut = examples.heldOut(options.evalSamples);
  return runSupervised(
    trainer,
    {
      command: "sft",
      model: options.modelNameOrPath,
      dataset: examples.name,
      batch: `${batchSize} sequences`,
      async step(step, settings) {
        const batch = rowsOfStep(examples, step, batchSize);
        const { loss, accuracy, gradNorm } = await likelihoodStep(pass, optimizer, batch, settings);
        return { gradNorm, tokens: countTokens(batch), metrics: { loss, mean_token_accuracy: accuracy } };
      },
      async evaluate(): Promise<Record<string, number>> {
        if (heldOut.length === 0) return {};
        const { loss, accuracy } = await likelihood(pass, heldOut);
        return { "held-out loss, nats per response token": loss, "held-out mean token accuracy": accuracy };
      },
      next: afterSupervised,
      destroy: () => {},
    },
    {
      options: { ...options, maxSteps: stepCount(options, examples) },
      configYaml,
      host,
      events,
      resumeFolder,
      signal,
      begun,
    },
  );
}

async function openExamples(
  options: Omit<SftOptions, "outputDir">,
  host: TrainingHost,
  { tokenizer, companions }: LoadedModel,
  notice: (line: string) => void,
): Promise<RowSource<TrainingSequence>> {
  const { dataset, seed, maxLength, minReward } = options;
  const synthetic = syntheticExamples(dataset, seed, tokenizer, maxLength);
  if (synthetic !== undefined) return synthetic;
  const context = { tokenizer, frame: promptFrame(options, companions), chat: chatTemplate(companions) };
  const rows = jsonLines(await host.readText(dataset), dataset).filter(
    ({ row }) => minReward === null || (rewardOf(row) ?? Number.POSITIVE_INFINITY) >= minReward,
  );
  const whole = rows.map((row) => exampleOf(row, context));
  const examples = whole.flatMap((example) => cut(example, maxLength) ?? []);
  if (examples.length === 0)
    throw new UserError(
      `${dataset}: no row is left to learn from; ${rows.length === 0 ? `none has a reward of ${minReward} or more` : "every response begins behind --max-length"}`,
    );
  const long = whole.filter(({ ids }) => ids.length > maxLength).length;
  if (long > 0)
    notice(
      `${long} of ${whole.length} sequences are longer than --max-length ${maxLength} and were cut; ${whole.length - examples.length} of them had no response left and are not used`,
    );
  return fileRows(dataset, examples, seed, options.evalSamples === 0 ? [] : undefined);
}
