/** Greedy answers of a checkpoint to T-Eval's conversations, by its own chat template. */

import { UserError } from "../../base/errors";
import { at } from "../../base/must";
import { readCheckpoint } from "../../model/folder";
import type { EvalOptions } from "../../options/evaluate";
import type { TrainingHost } from "../../session/host";
import { loadTokenizerOf } from "../../session/loaded-model";
import { chatTemplate } from "../../text/chat-template";
import { openSession } from "../session";
import type { TEvalSample } from "./files";

/** Samples decoded together; predictions are handed on after each batch. */
const BATCH = 64;

/**
 * Answers the samples whose prompt fits beside a completion; the others are left out.
 * @param modelNameOrPath a folder or a name that the host knows
 * @param onAnswers is given each batch with its predictions
 * @throws UserError when the model has no chat template or no room for any sample
 */
export async function generatePredictions(
  options: EvalOptions,
  modelNameOrPath: string,
  samples: readonly TEvalSample[],
  host: TrainingHost,
  hooks: {
    readonly signal?: AbortSignal;
    onProgress(done: number, total: number): void;
    onAnswers(answered: readonly TEvalSample[]): Promise<void>;
  },
): Promise<void> {
  const folder = host.modelFolder(modelNameOrPath, { offline: options.offline });
  const { companions, config } = await readCheckpoint(folder);
  const { tokenizer } = await loadTokenizerOf(folder);
  const template = chatTemplate(companions);
  if (template === undefined)
    throw new UserError(
      `${folder.path}: the model has no chat template, which T-Eval's conversations need; choose an instruction-tuned model`,
    );
  const room = config.maxPositions - options.maxCompletionLength;
  const prompts = samples.map((sample) => {
    if (sample.conversation.length === 0)
      throw new UserError(`${sample.where}: has no origin_prompt, which a model is to answer; get the file again`);
    const prompt = template.render(sample.conversation);
    return { sample, prompt, promptIds: tokenizer.encode(prompt) };
  });
  const fitting = prompts.filter(({ promptIds }) => promptIds.length <= room);
  if (fitting.length === 0)
    throw new UserError(
      `${folder.path}: the model has ${config.maxPositions} positions, of which --max-completion-length takes ${options.maxCompletionLength}, and the shortest of ${samples.length} prompts needs ${Math.min(...prompts.map(({ promptIds }) => promptIds.length))}; choose a model with more`,
    );
  const session = await openSession(
    {
      ...options,
      modelNameOrPath,
      greedy: true,
      maxToolCalls: 0,
      promptTemplate: "none",
      systemPrompt: null,
      maxPromptLength: Math.max(...fitting.map(({ promptIds }) => promptIds.length)),
    },
    host,
    await host.openGpu(options),
    Math.min(BATCH, fitting.length),
  );
  let done = 0;
  hooks.onProgress(done, fitting.length);
  try {
    for (let from = 0; from < fitting.length; from += BATCH) {
      const batch = fitting.slice(from, from + BATCH);
      const { groups } = await session.answer(
        batch.map(({ prompt, promptIds }) => ({ prompt, promptIds, answer: [] })),
        {
          step: from / BATCH,
          samplesPerQuestion: 1,
          questionsPerStep: BATCH,
          onFinished: () => hooks.onProgress(++done, fitting.length),
          ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
        },
      );
      const text = (index: number) =>
        tokenizer.decode(at(at(groups, index), 0).trajectory.ids, { skipSpecialTokens: true, continuation: true });
      await hooks.onAnswers(batch.map(({ sample }, index) => ({ ...sample, prediction: text(index) })));
    }
  } finally {
    await session.close();
  }
}
