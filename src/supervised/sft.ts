/** Supervised fine-tuning: maximum likelihood of response tokens, given what stands before them. */
import { UserError } from "../base/errors";
import { readJsonLines } from "../base/json";
import { countTokens } from "../model/micro-batches";
import type { TrainingSequence } from "../model/sequences";
import type { SftOptions } from "../options/supervised";
import type { TrainEvents, TrainSummary } from "../session/events";
import type { TrainingHost } from "../session/host";
import type { LoadedModel } from "../session/loaded-model";
import { afterSupervised } from "../session/next-commands";
import { promptFrame } from "../session/prompt-frame";
import { fileRows, type RowSource } from "../session/questions";
import { nanoDocument } from "../tasks/nano/documents";
import { chatTemplate } from "../text/chat-template";
import type { Tokenizer } from "../text/tokenizer";
import { cut, documentExample, exampleOf, rewardOf } from "./examples";
import { likelihood, likelihoodStep } from "./likelihood";
import { createSupervisedTrainer, openTrained, rowsOfStep, runSupervised, stepCount } from "./loop";

/**
 * Trains on the responses of `--dataset` and returns the closing summary. An abort ends the run after saving.
 * @throws UserError for what the user can repair, and when the gradient is no longer finite
 */
export function runSft(
  options: Omit<SftOptions, "outputDir"> & { readonly outputDir: string },
  configYaml: string,
  host: TrainingHost,
  events: TrainEvents,
  signal?: AbortSignal,
): Promise<TrainSummary> {
  return runSupervised({ options, configYaml, host, events, signal }, async (opening) => {
    const loaded = await openTrained(opening, options, options.modelNameOrPath);
    const examples = await openExamples(options, host, loaded, (line) => events.onNotice(line));
    const batchSize = options.perDeviceTrainBatchSize;
    const trainer = createSupervisedTrainer(loaded, options, batchSize * options.maxLength, batchSize, opening.closers);
    const { pass, optimizer } = trainer;
    const heldOut = examples.heldOut(options.evalSamples);
    return {
      command: "sft",
      trainer,
      model: options.modelNameOrPath,
      dataset: examples.name,
      maxSteps: stepCount(options, examples),
      batch: `${batchSize} sequences`,
      async step(step, settings) {
        const batch = rowsOfStep(examples, step, batchSize);
        const { loss, accuracy, gradNorm } = await likelihoodStep(pass, optimizer, batch, settings);
        return { gradNorm, tokens: countTokens(batch), metrics: { loss, mean_token_accuracy: accuracy } };
      },
      async evaluate(stop): Promise<Record<string, number>> {
        if (heldOut.length === 0) return {};
        const { loss, accuracy } = await likelihood(pass, heldOut, stop);
        return { "held-out loss, nats per response token": loss, "held-out mean token accuracy": accuracy };
      },
      next: afterSupervised,
    };
  });
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
  const rows = readJsonLines(await host.readText(dataset), dataset).filter(
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

/** Far beyond any number of documents that is trained on. */
const HELD_OUT_FROM = 2 ** 30;

/** The corpus of that name as prompts and responses, the tool's output unscored; undefined when there is none. */
function syntheticExamples(
  name: string,
  seed: number,
  tokenizer: Tokenizer,
  maxLength: number,
): RowSource<TrainingSequence> | undefined {
  if (name !== "nano") return undefined;
  const example = (index: number) => {
    const whole = documentExample(nanoDocument(seed, index), tokenizer);
    return cut(whole, maxLength) ?? whole;
  };
  return {
    name,
    passLength: Number.POSITIVE_INFINITY,
    train: example,
    heldOut: (count) => Array.from({ length: count }, (_, index) => example(HELD_OUT_FROM + index)),
  };
}
