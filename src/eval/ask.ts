import { UserError } from "../base/errors";
import { readModelConfig } from "../model/folder";
import { configFolder } from "../model/peft";
import type { SampleOptions } from "../options/evaluate";
import type { AnswerSample } from "../session/events";
import type { TrainingHost } from "../session/host";
import type { QuestionRow } from "../session/questions";
import { transcriptOf } from "../session/transcript";
import type { Tokenizer } from "../text/tokenizer";
import { openSession } from "./session";

/**
 * Asks each of `options.prompt` and gives every trajectory to `onSample` in order. There is no right answer, so samples
 * carry neither answer nor reward.
 */
export async function ask(
  options: SampleOptions,
  host: TrainingHost,
  hooks: {
    readonly signal?: AbortSignal;
    onSample(sample: AnswerSample): void;
    /** Called as each trajectory ends. */
    onProgress?(done: number, total: number): void;
    /** Called with the text of an only trajectory as it comes. */
    onText?(piece: string): void;
  },
): Promise<void> {
  const gpu = await host.openGpu(options);
  const given = options.promptIds === null ? undefined : parsePromptIds(options.promptIds);
  const total = (given === undefined ? options.prompt.length : 1) * options.numGenerations;
  const maxPromptLength = options.maxPromptLength ?? (await promptRoom(options, host));
  const session = await openSession({ ...options, maxPromptLength, rewardScope: "model-tokens" }, host, gpu, total);
  let done = 0;
  try {
    const { groups } = await session.answer(
      given === undefined
        ? options.prompt.map((prompt) => ({ prompt, answer: [] }))
        : [idsQuestion(given, session.collector.tokenizer, maxPromptLength)],
      {
        step: 0,
        samplesPerQuestion: options.numGenerations,
        onFinished: () => hooks.onProgress?.(++done, total),
        ...(hooks.onText === undefined || total > 1
          ? {}
          : { onTokens: told(session.collector.tokenizer, hooks.onText) }),
        ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
      },
    );
    for (const graded of groups.flat()) {
      const { answer: _, reward: __, ...sample } = transcriptOf(session.collector.tokenizer, 0, graded);
      const { ids, logprobs, fullText } = graded.trajectory;
      hooks.onSample({ ...sample, ids: [...ids], text: fullText, logprobs: [...logprobs] });
    }
  } finally {
    await session.close();
  }
}

const USUAL_PROMPT_LENGTH = 512;

/** Tokens that a prompt may have beside the completion. */
async function promptRoom(options: SampleOptions, host: TrainingHost): Promise<number> {
  const { maxPositions } = await readModelConfig(
    await configFolder(host.modelFolder(options.modelNameOrPath), host.modelFolder),
  );
  return Math.max(1, Math.min(USUAL_PROMPT_LENGTH, maxPositions - options.maxCompletionLength));
}

/** Tokens decoded piece by piece; an unfinished character waits for its rest. */
function told(tokenizer: Tokenizer, onText: (piece: string) => void): (id: number, ids: ArrayLike<number>) => void {
  const stream = tokenizer.stream();
  return (_, ids) => onText(Array.from(ids, (id) => stream.push(id)).join(""));
}

function parsePromptIds(text: string): Uint32Array {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {}
  const isId = (id: unknown): id is number => typeof id === "number" && Number.isInteger(id) && id >= 0 && id < 2 ** 32;
  if (!Array.isArray(json) || json.length === 0 || !json.every(isId))
    throw new UserError(`--prompt-ids is ${JSON.stringify(text)}; expected a JSON list of token ids such as '[1, 2]'`);
  return Uint32Array.from(json);
}

/** @throws UserError when an id does not exist or there are too many */
function idsQuestion(ids: Uint32Array, tokenizer: Tokenizer, maxPromptLength: number): QuestionRow {
  const strange = ids.find((id) => id >= tokenizer.vocabularySize);
  if (strange !== undefined)
    throw new UserError(`--prompt-ids: ${strange} is no token id; this model has 0 to ${tokenizer.vocabularySize - 1}`);
  if (ids.length > maxPromptLength)
    throw new UserError(`--prompt-ids: ${ids.length} ids, --max-prompt-length allows ${maxPromptLength}`);
  return { prompt: tokenizer.decode(ids), promptIds: ids, answer: [] };
}
