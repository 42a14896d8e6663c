import type { Decoder } from "../../src/rollout/decoder";
import type { RolloutRequest } from "../../src/rollout/decoding-sequence";
import { type InteractOptions, interact, type RolloutHooks } from "../../src/rollout/scheduler";
import type { RolloutStatistics } from "../../src/rollout/statistics";
import type { Trajectory } from "../../src/rollout/trajectory";
import { type PythonRunner, type PythonSettings, pythonWorld } from "../../src/rollout/world";
import { promptTemplates } from "../../src/text/templates";
import { FakeDecoder, FakePython, type FakeShape, type FakeTokenizer, formatObservation, type Script } from "./fakes";

/** Settings of one {@link generate}. */
export interface RolloutOptions extends InteractOptions, PythonSettings {}

/** A rollout with Python. */
export function generate(
  requests: readonly RolloutRequest[],
  decoder: Decoder,
  engine: PythonRunner,
  options: RolloutOptions,
  { onEngineError, ...hooks }: RolloutHooks & { onEngineError?: (error: unknown, trajectoryId: number) => void } = {},
): Promise<Trajectory[]> {
  return interact(requests, decoder, pythonWorld(engine, options, onEngineError), options, hooks);
}

/** Requests with the script of each trajectory. */
export interface Scenario {
  tokenizer: FakeTokenizer;
  requests: RolloutRequest[];
  scripts: Map<number, Script>;
}

/**
 * One group per prompt; `tokens` gives what the trajectory says. Ids are not in the order of the samples, on purpose.
 */
export function scenario(
  tokenizer: FakeTokenizer,
  prompts: readonly string[],
  samples: number,
  tokens: (group: number, sample: number) => number[],
): Scenario {
  const scripts = new Map<number, Script>();
  const requests = prompts.map((prompt, group) => {
    const promptIds = Uint32Array.from(tokenizer.chars(prompt));
    const trajectoryIds = Array.from({ length: samples }, (_, sample) => 7000 - (group * samples + sample) * 3);
    trajectoryIds.forEach((id, sample) => {
      scripts.set(id, { prompt: Array.from(promptIds), tokens: tokens(group, sample) });
    });
    return { groupIndex: group, promptIds, trajectoryIds };
  });
  return { tokenizer, requests, scripts };
}

export const SHAPE: FakeShape = { slots: 4, pageSize: 4, pageCount: 1024, maxRows: 16, maxLength: 512 };

export function optionsFor(tokenizer: FakeTokenizer, options: Partial<RolloutOptions> = {}): RolloutOptions {
  return {
    tokenizer,
    formatObservation,
    stopStrings: promptTemplates["zero-tir"].stopStrings,
    maxToolCalls: 2,
    maxCompletionLength: 120,
    maxToolResponseTokens: 60,
    tool: { timeoutMs: 1000, memoryMb: 64, maxOutputBytes: 4096 },
    seed: "7",
    runAhead: 2,
    ...options,
  };
}

export interface Outcome {
  trajectories: Trajectory[];
  decoder: FakeDecoder;
  python: FakePython;
  statistics: RolloutStatistics;
}

export async function play(
  { tokenizer, requests, scripts }: Scenario,
  options: Partial<RolloutOptions> = {},
  shape: Partial<FakeShape> = {},
  delays: { batch?: () => number; python?: () => number } = {},
  hooks: Parameters<typeof generate>[4] = {},
): Promise<Outcome> {
  const decoder = new FakeDecoder({ ...SHAPE, ...shape }, scripts, tokenizer, delays.batch);
  const python = new FakePython(delays.python);
  let statistics: RolloutStatistics | undefined;
  const trajectories = await generate(requests, decoder, python, optionsFor(tokenizer, options), {
    ...hooks,
    onStatistics: (totals) => {
      statistics = totals;
    },
  });
  if (statistics === undefined) throw new Error("no statistics");
  return { trajectories, decoder, python, statistics };
}

/** Trajectories without measured times. */
export function timeless(trajectories: readonly Trajectory[]): Trajectory[] {
  return trajectories.map((trajectory) => ({
    ...trajectory,
    toolLog: trajectory.toolLog.map((record) => ({ ...record, ms: 0, queueMs: 0 })),
  }));
}
