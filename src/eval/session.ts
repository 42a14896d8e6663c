/** A model opened for questions. */
import type { GpuContext } from "../gpu/context";
import type { EvalOptions, SampleOptions } from "../options/evaluate";
import { type Collected, type Collector, type CollectSettings, collect } from "../session/collect";
import type { TrainingHost } from "../session/host";
import { createDecoder, eosTokenIds, loadModel } from "../session/loaded-model";
import { promptFrame } from "../session/prompt-frame";
import type { QuestionRow } from "../session/questions";

/** Options that answering needs; those of `eval` and `sample` both have them. */
export type SessionOptions = Omit<
  SampleOptions,
  "prompt" | "promptIds" | "tools" | "maxPromptLength" | "numGenerations" | "preset"
> &
  Pick<EvalOptions, "rewardScope" | "maxPromptLength"> &
  Partial<Pick<EvalOptions, "gradingProfile" | "rewardTimeout" | "offline">>;

export interface Session {
  readonly collector: Collector;
  /** Answers to questions with the session's sampling settings. */
  answer(
    questions: readonly QuestionRow[],
    settings: Pick<
      CollectSettings,
      "step" | "samplesPerQuestion" | "questionsPerStep" | "signal" | "onFinished" | "onTokens"
    >,
  ): Promise<Collected>;
  close(): Promise<void>;
}

/** Most trajectories decoded at once when `--concurrency` does not say. */
const MOST_AT_ONCE = 256;

/** Opens model, decoder, Python and graders. `trajectories` is how many will be asked for together. */
export async function openSession(
  options: SessionOptions,
  host: TrainingHost,
  gpu: GpuContext,
  trajectories: number,
): Promise<Session> {
  const find = (name: string) => host.modelFolder(name, { offline: options.offline ?? false });
  const loaded = await loadModel(
    gpu,
    find(options.modelNameOrPath),
    find,
    { dtype: options.dtype },
    options.maxPromptLength + options.maxCompletionLength,
  );
  const template = promptFrame(options, loaded.companions);
  const engine = await host.openPython(options);
  const rewards = await host.openRewards(options);
  const collector: Collector = {
    decoder: createDecoder(loaded, options, Math.min(trajectories, options.concurrency ?? MOST_AT_ONCE)),
    engine,
    environmentFactory: host.environmentFactory,
    rewards,
    tokenizer: loaded.tokenizer,
    template,
    eosTokenIds: eosTokenIds(loaded),
    options,
  };
  return {
    collector,
    answer: (questions, settings) =>
      collect(collector, questions, {
        ...settings,
        sampling: samplingOf(options),
      }),
    async close() {
      await Promise.allSettled([engine.close(), rewards.close()]);
      collector.decoder.destroy();
      loaded.model.destroy();
    },
  };
}

/** How the options have tokens drawn. */
export function samplingOf(options: SessionOptions): CollectSettings["sampling"] {
  return {
    temperature: options.greedy ? 0 : options.temperature,
    topK: options.topK,
    topP: options.topP,
    minP: options.minP,
    seed: [options.seed, 0],
  };
}
