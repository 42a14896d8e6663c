/** `eval`: models over benchmarks, and with `--bench` the benchmarks of tool use that have scores of their own. */
import { must } from "../base/must";
import { runWhen2Call, type When2CallReport } from "../eval/choices/run";
import { runEvaluation } from "../eval/evaluate";
import { generatePredictions } from "../eval/t-eval/generate";
import { runTEval, type TEvalAnswerer, type TEvalReport } from "../eval/t-eval/run";
import { targetPlans } from "../eval/target-plans";
import { type EvalOptions, evalOptions } from "../options/evaluate";
import type { Embedded } from "../platform/node/embedded";
import { holdRunFolder } from "../platform/node/run-place";
import { checkpointOf } from "../platform/node/training-host";
import type { TrainingHost } from "../session/host";
import type { RunFiles } from "../session/run-folder";
import type { EvalCall, EvalReport, RunContext } from "./context";
import { withHost } from "./with-host";

/** What `eval --bench` found. */
export type BenchReport = (When2CallReport | TEvalReport) & EvalCall;

/**
 * avg@K, pass@k, maj@K and code ratio.
 *
 * @param context `onProgress` is told samples done and in all, and which model is on which benchmark
 * @throws UserError for what the user can repair
 */
export function evaluate(
  options: EvalOptions,
  context: RunContext & { readonly onProgress: (done: number, total: number, what: string) => void },
  embedded: Embedded = {},
): Promise<EvalReport> {
  // An empty variable is as none.
  const key = process.env[options.endpointKeyEnv] || undefined;
  return inOutputFolder(
    options,
    context,
    async (host, files) =>
      runEvaluation(
        options,
        await targetPlans(options, host, checkpointOf, key),
        host,
        files,
        evalOptions.toFile(options),
        context,
      ),
    embedded,
  );
}

/**
 * `eval --bench`.
 *
 * @param context `onProgress` is told rows done and in all
 * @throws UserError for what the user can repair
 */
export function evaluateBench(
  options: EvalOptions,
  context: RunContext & { readonly onProgress: (done: number, total: number) => void },
): Promise<BenchReport> {
  return inOutputFolder<When2CallReport | TEvalReport>(options, context, async (host, files) => {
    const { bench, tevalDir, offline } = options;
    const [named] = options.modelNameOrPath;
    const model = named === undefined ? undefined : await checkpointOf(named);
    if (tevalDir !== null && bench === "teval") {
      const answerer: TEvalAnswerer | undefined =
        model === undefined
          ? undefined
          : {
              model,
              answer: (samples, onAnswers) =>
                generatePredictions(options, model, samples, host, { ...context, onAnswers }),
            };
      return runTEval({ ...options, tevalDir }, host, files, context, answerer);
    }
    const folder = host.modelFolder(must(model, `the model of --bench ${bench}`), { offline });
    return runWhen2Call(options, host, folder, files, context);
  });
}

/** Keeps other processes out of the output folder, opens the host, and takes the time. */
async function inOutputFolder<Report>(
  { outputDir }: EvalOptions,
  { announce }: RunContext,
  work: (host: TrainingHost, files: RunFiles | undefined) => Promise<Report>,
  embedded: Embedded = {},
): Promise<Report & EvalCall> {
  const begun = performance.now();
  const held = outputDir === null ? undefined : await holdRunFolder(outputDir);
  try {
    const report = await withHost(
      announce,
      (host) => work(host, outputDir === null ? undefined : host.runFiles(outputDir)),
      embedded,
    );
    return { ...report, outputDir, seconds: (performance.now() - begun) / 1000 };
  } finally {
    await held?.release();
  }
}
