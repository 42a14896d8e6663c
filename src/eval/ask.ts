/** Answers to single questions, shown as they come. */

import type { SampleOptions } from "../train/eval-options";
import type { Sample } from "../train/events";
import type { TrainingHost } from "../train/host";
import { toSample } from "../train/samples";
import { openSession } from "./session";

/** Asks each of `options.prompt` and gives every trajectory to `onSample` in order. There is no right answer, so samples carry neither answer nor reward. */
export async function ask(
  options: SampleOptions,
  host: TrainingHost,
  hooks: {
    readonly signal?: AbortSignal;
    onSample(sample: Sample): void;
    /** Called as each trajectory ends. */
    onProgress?(done: number, total: number): void;
  },
): Promise<void> {
  const gpu = await host.openGpu(options);
  const total = options.prompt.length * options.numGenerations;
  const session = await openSession({ ...options, rewardScope: "model-tokens" }, host, gpu, total);
  let done = 0;
  try {
    const { groups } = await session.answer(
      options.prompt.map((prompt) => ({ prompt, answer: [] })),
      {
        step: 0,
        samplesPerQuestion: options.numGenerations,
        onFinished: () => hooks.onProgress?.(++done, total),
        ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
      },
    );
    for (const graded of groups.flat()) {
      const { answer: _, reward: __, ...sample } = toSample(session.collector.tokenizer, 0, graded);
      hooks.onSample(sample);
    }
  } finally {
    await session.close();
  }
}
