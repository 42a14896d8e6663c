/** `eval --bench` in Node. */

import type { BenchReport, Runners } from "../cli/runners";
import { runWhen2Call } from "../eval/choices/run";
import { generatePredictions } from "../eval/t-eval/generate";
import { runTEval, type TEvalAnswerer } from "../eval/t-eval/run";
import type { EvalOptions } from "../options/evaluate";
import { holdRunFolder } from "../platform/node/run-place";
import { checkpointOf } from "../platform/node/training-host";
import { withHost } from "./ask";

export async function evalBenchInNode(
  options: EvalOptions,
  { signal, announce, onProgress }: Parameters<Runners["evalBench"]>[1],
): Promise<BenchReport> {
  const begun = performance.now();
  const { outputDir, offline } = options;
  const held = outputDir === null ? undefined : await holdRunFolder(outputDir);
  try {
    const report = await withHost(announce, async (host) => {
      const files = outputDir === null ? undefined : host.runFiles(outputDir);
      const { tevalDir } = options;
      const answererOf = async (): Promise<TEvalAnswerer | undefined> => {
        const [named] = options.modelNameOrPath;
        if (named === undefined) return undefined;
        const model = await checkpointOf(named);
        return {
          model,
          answer: (samples, onAnswers) =>
            generatePredictions(options, model, samples, host, { signal, onProgress, onAnswers }),
        };
      };
      if (tevalDir !== null && options.bench === "teval")
        return runTEval({ ...options, tevalDir }, host, files, { signal, onProgress }, await answererOf());
      const folder = host.modelFolder(await checkpointOf(options.modelNameOrPath[0] ?? ""), { offline });
      return runWhen2Call(options, host, folder, files, { signal, onProgress });
    });
    return { ...report, outputDir, seconds: (performance.now() - begun) / 1000 };
  } finally {
    await held?.release();
  }
}
