/** `sample` and `eval` in Node. */

import type { Runners } from "../cli/runners";
import { ask } from "../eval/ask";
import { runEvaluation } from "../eval/evaluate";
import { targetPlans } from "../eval/targets";
import { type EvalOptions, evalOptions, type SampleOptions } from "../options/evaluate";
import type { Embedded } from "../platform/node/embedded";
import { holdRunFolder } from "../platform/node/run-place";
import { checkpointOf, nodeTrainingHost } from "../platform/node/training-host";
import type { TrainingHost } from "../session/host";
import type { EvalReport } from "./context";

export async function sampleInNode(
  options: SampleOptions,
  { signal, announce, ...shown }: Parameters<Runners["sample"]>[1],
  embedded: Embedded = {},
): Promise<void> {
  const modelNameOrPath = await checkpointOf(options.modelNameOrPath);
  await withHost(announce, (host) => ask({ ...options, modelNameOrPath }, host, { signal, ...shown }), embedded);
}

export async function evalInNode(
  options: EvalOptions,
  { signal, announce, onProgress }: Parameters<Runners["eval"]>[1],
  embedded: Embedded = {},
): Promise<EvalReport> {
  const begun = performance.now();
  const { outputDir } = options;
  const held = outputDir === null ? undefined : await holdRunFolder(outputDir);
  // An empty variable is as none.
  const key = process.env[options.endpointKeyEnv] || undefined;
  try {
    const report = await withHost(
      announce,
      async (host) =>
        runEvaluation(
          options,
          await targetPlans(options, host, checkpointOf, key),
          host,
          outputDir === null ? undefined : host.runFiles(outputDir),
          evalOptions.toFile(options),
          { signal, onProgress },
        ),
      embedded,
    );
    return { ...report, outputDir, seconds: (performance.now() - begun) / 1000 };
  } finally {
    await held?.release();
  }
}

/** Opens the host, and ends with the device's own error when it has one: a lost device leaves promises that never settle. */
export async function withHost<Result>(
  announce: (line: string) => void,
  work: (host: TrainingHost) => Promise<Result>,
  embedded: Embedded = {},
): Promise<Result> {
  let failed: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    failed = reject;
  });
  const host = nodeTrainingHost(announce, failed, embedded);
  try {
    return await Promise.race([work(host), failure]);
  } finally {
    host.close();
  }
}
