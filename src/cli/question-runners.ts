/** `sample` and `eval` in Node. */
import * as fs from "node:fs/promises";
import { ask } from "../eval/ask";
import { runEvaluation } from "../eval/evaluate";
import { UserError } from "../model/user-error";
import { checkpointOf, nodeTrainingHost } from "../platform/node/training-host";
import type { EvalOptions, SampleOptions } from "../train/eval-options";
import type { Sample } from "../train/events";
import type { TrainingHost } from "../train/host";
import type { EvalReport, RunnerContext } from "./runners";

export async function sampleInNode(
  options: SampleOptions,
  { signal, announce, onSample }: RunnerContext & { readonly onSample: (sample: Sample) => void },
): Promise<void> {
  const modelNameOrPath = await checkpointOf(options.modelNameOrPath);
  await withHost(announce, (host) => ask({ ...options, modelNameOrPath }, host, { signal, onSample }));
}

export async function evalInNode(
  options: EvalOptions,
  { signal, announce, onProgress }: RunnerContext & { readonly onProgress: (done: number, total: number) => void },
): Promise<EvalReport> {
  const begun = performance.now();
  const modelNameOrPath = await checkpointOf(options.modelNameOrPath);
  const file = options.outputFile === null ? undefined : await openOutput(options.outputFile);
  try {
    const result = await withHost(announce, (host) =>
      runEvaluation({ ...options, modelNameOrPath }, host, {
        signal,
        onProgress,
        onTrajectory: async (line) => file?.write(line),
      }),
    );
    return {
      dataset: options.dataset,
      model: options.modelNameOrPath,
      ...result,
      seconds: (performance.now() - begun) / 1000,
    };
  } finally {
    await file?.close();
  }
}

interface LineFile {
  write(line: string): Promise<void>;
  close(): Promise<void>;
}

/** The file of `--output-file`, emptied. @throws UserError when it cannot be written, now or later */
async function openOutput(path: string): Promise<LineFile> {
  const named = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      return await work;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new UserError(`--output-file ${path}: cannot be written (${why}); choose another place`);
    }
  };
  const file = await named(fs.open(path, "w"));
  return {
    write: async (line) => void (await named(file.appendFile(`${line}\n`))),
    close: () => file.close(),
  };
}

/** Opens the host, and ends with the device's own error when it has one: a lost device leaves promises that never settle. */
export async function withHost<Result>(
  announce: (line: string) => void,
  work: (host: TrainingHost) => Promise<Result>,
): Promise<Result> {
  let failed: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    failed = reject;
  });
  const host = nodeTrainingHost(announce, failed);
  try {
    return await Promise.race([work(host), failure]);
  } finally {
    host.close();
  }
}
