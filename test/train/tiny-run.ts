/**
 * Training runs of a fraction of a second: a model made by hand that speaks the tool protocol from the start, questions
 * of a file, Python by a function.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import type { GpuContext } from "../../src/gpu/context";
import type { ModelConfig } from "../../src/model/config";
import { type CheckpointTensor, writeCheckpoint } from "../../src/model/folder";
import { initialWeights } from "../../src/model/initialise";
import { gradingPlan } from "../../src/options/fields/reward";
import { resolveTrainOptions, trainOptions } from "../../src/options/train";
import { openDataset } from "../../src/platform/node/datasets";
import { nodeFolder, writeFolder } from "../../src/platform/node/files";
import { nodeRunFiles } from "../../src/platform/node/run-files";
import type { RewardPool } from "../../src/reward/pool";
import type { PythonCall, PythonEngine } from "../../src/sandbox/engine";
import { silentEvents, type TrainEvents, type TrainSummary, type Transcript } from "../../src/session/events";
import type { TrainingHost } from "../../src/session/host";
import { deterministicPart, type MetricsRow, metricsLine } from "../../src/session/metrics";
import { evaluateExpression } from "../../src/tasks/nano/expression";
import { loadTokenizer } from "../../src/text/load-tokenizer";
import { runTraining } from "../../src/train/loop";
import { inThreadRewardPool } from "../support/in-thread-rewards";
import { createMockEngine } from "../support/mock-engine";
import { buildNanoTokenizerConfig, buildNanoTokenizerJson, tokenizerFileText } from "../support/nano-tokenizer";
import { withoutTime } from "../support/records";
import { modelContext } from "../support/reference/models";
import { idOf } from "../support/tokenizers";

export const tinyTokenizer = loadTokenizer(buildNanoTokenizerJson(), buildNanoTokenizerConfig());

export const TINY: ModelConfig = {
  architecture: "llama",
  hiddenSize: 32,
  intermediateSize: 52,
  layerCount: 2,
  headCount: 4,
  kvHeadCount: 2,
  headDim: 8,
  vocabularySize: tinyTokenizer.vocabularySize,
  rmsNormEpsilon: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedEmbeddings: false,
  attentionBias: false,
  qkNorm: false,
  eosTokenIds: [tinyTokenizer.eosId],
};

/** What may follow a token, each as likely: an answer at once, or a program first. */
const FOLLOWERS: Readonly<Record<string, readonly string[]>> = {
  "\nAssistant:": ["\\boxed{", "\n```python\n"],
  "\n```python\n": ["print("],
  "print(": ["1"],
  "1": ["+", ")"],
  "+": ["1"],
  ")": ["\n```"],
  "\n```\n\n\n": ["\\boxed{"],
  "\\boxed{": ["2", "3"],
  "2": ["}"],
  "3": ["}"],
  "}": ["<|endoftext|>"],
};

/** Large enough that most tokens follow the table, small enough that a step moves them. */
const BIGRAM = 1.4;

/** Fresh small layers between an embedding and a head that together hold the table of followers. */
export function tinyTensors(): CheckpointTensor[] {
  const width = TINY.hiddenSize;
  const names = Object.keys(FOLLOWERS);
  const id = (text: string) => {
    const found = idOf(tinyTokenizer, text);
    if (found === undefined) throw new Error(`${JSON.stringify(text)} is no token`);
    return found;
  };
  return [...initialWeights(TINY, 3)].map((tensor) => {
    const data = tensor.data.slice();
    names.forEach((name, axis) => {
      if (tensor.hfName === "model.embed_tokens.weight") data[id(name) * width + axis] = 1;
      if (tensor.hfName === "lm_head.weight")
        for (const follower of FOLLOWERS[name] ?? []) data[id(follower) * width + axis] = BIGRAM;
    });
    return { ...tensor, data };
  });
}

/** Writes a checkpoint folder with the nano tokenizer. */
export async function writeTinyModel(
  path: string,
  tensors: readonly CheckpointTensor[] = tinyTensors(),
): Promise<void> {
  const companions = new Map([
    ["tokenizer.json", tokenizerFileText(buildNanoTokenizerJson())],
    ["tokenizer_config.json", tokenizerFileText(buildNanoTokenizerConfig())],
  ]);
  await writeFolder(path, (writer) =>
    writeCheckpoint(
      writer,
      TINY,
      tensors.map(({ hfName, shape, data }) => ({ name: hfName, shape, data })),
      companions,
    ),
  );
}

/** `print(...)` of an arithmetic expression; anything else is an error, as in Python. */
export function calculate({ code }: PythonCall): string {
  const inner = /^print\((.*)\)$/.exec(code)?.[1];
  if (inner === undefined) throw new Error("SyntaxError: invalid syntax");
  return `${evaluateExpression(inner)}\n`;
}

/** What a run told its watcher. */
export interface Told {
  readonly steps: MetricsRow[];
  readonly notices: string[];
  readonly samples: Transcript[];
  readonly checkpoints: number[];
}

export interface TinyRun extends Told {
  readonly summary: TrainSummary;
  /** The run folder. */
  readonly path: string;
}

export interface TinySettings {
  readonly values?: Readonly<Record<string, unknown>>;
  readonly engine?: PythonEngine;
  readonly rewards?: RewardPool;
  readonly signal?: AbortSignal;
  readonly events?: Partial<TrainEvents>;
  readonly gpu?: GpuContext;
  readonly runFiles?: TrainingHost["runFiles"];
  readonly openPython?: TrainingHost["openPython"];
}

/** Questions that all have the answer 2, which the model gives half of the time. */
export const QUESTIONS = `${Array.from({ length: 12 }, (_, i) =>
  JSON.stringify({ prompt: `${i + 1}-${Math.max(i - 1, 0)}`, answer: "2" }),
).join("\n")}\n`;

/**
 * A host on disk under `root`, where `model` is the tiny model's folder and `questions.jsonl` holds {@link QUESTIONS}.
 */
export async function tinyHost({
  engine,
  rewards,
  gpu,
  runFiles = nodeRunFiles,
  openPython = async () => engine ?? createMockEngine(calculate),
}: TinySettings = {}): Promise<TrainingHost> {
  const context = gpu ?? (await modelContext());
  return {
    openGpu: async () => context,
    modelFolder: nodeFolder,
    openPython,
    openRewards: async (options) => rewards ?? inThreadRewardPool(gradingPlan(options).builtIn),
    readText: (path) => fs.readFile(path, "utf8"),
    loadDataset: (request) => openDataset(request, {}),
    runFiles,
    checkpointFolder: async (path) => nodeFolder(path),
  };
}

/** Puts model and questions into a folder. */
export async function prepare(root: string): Promise<void> {
  await writeTinyModel(join(root, "model"));
  await fs.writeFile(join(root, "questions.jsonl"), QUESTIONS);
}

/** Trains into `<root>/<name>`: four steps of 3 questions x 4 trajectories unless `values` say otherwise. */
export async function tinyRun(root: string, name: string, settings: TinySettings = {}): Promise<TinyRun> {
  const path = join(root, name);
  const options = resolveTrainOptions([
    {
      source: "the test",
      spelling: "file",
      values: {
        modelNameOrPath: join(root, "model"),
        dataset: join(root, "questions.jsonl"),
        promptTemplate: "nano",
        maxSteps: 4,
        saveSteps: 2,
        promptsPerStep: 3,
        numGenerations: 4,
        maxPromptLength: 16,
        maxCompletionLength: 32,
        maxToolCalls: 1,
        maxToolResponseTokens: 16,
        learningRate: 3e-3,
        evalSamples: 0,
        seed: 5,
        ...settings.values,
      },
    },
  ]);
  const told: Told = { steps: [], notices: [], samples: [], checkpoints: [] };
  const events: TrainEvents = {
    ...silentEvents,
    ...settings.events,
    onStep: (row) => {
      told.steps.push(row);
      settings.events?.onStep?.(row);
    },
    onSample: (sample) => void told.samples.push(sample),
    onNotice: (text) => void told.notices.push(text),
    onCheckpoint: ({ step }) => void told.checkpoints.push(step),
  };
  const host = await tinyHost(settings);
  const summary = await runTraining(
    { ...options, outputDir: path },
    trainOptions.toYaml(options),
    host,
    events,
    settings.signal,
  );
  return { ...told, summary, path };
}

/** Everything of a run that must be the same in two equal runs: file names with their bytes, times left out. */
export async function deterministicFiles(path: string, step: number): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const metrics = (await fs.readFile(join(path, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
  files["metrics.jsonl"] = metrics
    .map((line) => {
      const row: MetricsRow = JSON.parse(line);
      return metricsLine(deterministicPart(row));
    })
    .join("");
  for (const name of (await fs.readdir(join(path, "rollouts"))).sort()) {
    const lines = (await fs.readFile(join(path, "rollouts", name), "utf8")).trimEnd().split("\n");
    files[name] = lines.map(withoutTime).join("\n");
  }
  const checkpoint = join(path, "checkpoints", `step_${String(step).padStart(5, "0")}`);
  for (const name of (await fs.readdir(checkpoint)).sort())
    files[name] = (await fs.readFile(join(checkpoint, name))).toString("latin1");
  return files;
}
