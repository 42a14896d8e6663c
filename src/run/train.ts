/** `train`, `pretrain`, `sft` and `dpo`: where the run lies, what it runs on, and how it ends. */

import { join } from "node:path";
import { reasonOf } from "../base/errors";
import {
  type DpoOptions,
  dpoOptions,
  type PretrainOptions,
  pretrainOptions,
  type SftOptions,
  sftOptions,
} from "../options/supervised";
import { type TrainOptions, trainOptions } from "../options/train";
import type { Embedded } from "../platform/node/embedded";
import { holdNewRunFolder, holdRunFolder, newRunFolder, resumePoint } from "../platform/node/run-place";
import { allEvents, type TrainEvents, type TrainSummary } from "../session/events";
import type { TrainingHost } from "../session/host";
import { runDpo } from "../supervised/dpo";
import { runPretraining } from "../supervised/pretrain";
import { runSft } from "../supervised/sft";
import { runTraining } from "../train/loop";
import type { TrainingContext } from "./context";
import { tensorboardEvents } from "./tensorboard";
import { recordAttempt } from "./view/attempts";
import { DEFAULT_LIMITS, writeReport } from "./view/report-file";
import { withHost } from "./with-host";

export function train(options: TrainOptions, context: TrainingContext, embedded: Embedded = {}): Promise<TrainSummary> {
  return inRunFolder(
    options,
    options.modelNameOrPath,
    context,
    (placed, host, watching) =>
      withReport(placed, watching, (events) =>
        runTraining(placed, trainOptions.toYaml(placed), host, events, context.signal),
      ),
    embedded,
  );
}

/** Records the attempt; writes the report before the summary, which names it. A report that fails is no failed run. */
async function withReport(
  { outputDir, htmlReport }: { readonly outputDir: string; readonly htmlReport: boolean },
  events: TrainEvents,
  run: (events: TrainEvents) => Promise<TrainSummary>,
): Promise<TrainSummary> {
  const attempt = recordAttempt({ ...allEvents(events), onFinish() {} });
  const ended = await run(attempt.events);
  let report: string | undefined;
  try {
    await attempt.done();
    if (htmlReport) report = (await writeReport(outputDir, join(outputDir, "report.html"), DEFAULT_LIMITS)).path;
  } catch (error) {
    events.onNotice(`no report: ${reasonOf(error)}`);
  }
  const summary = { ...ended, ...(report === undefined ? {} : { report }) };
  events.onFinish(summary);
  return summary;
}

export function pretrain(options: PretrainOptions, context: TrainingContext): Promise<TrainSummary> {
  return inRunFolder(options, options.modelNameOrPath ?? options.modelConfig, context, (placed, host, events) =>
    runPretraining(placed, pretrainOptions.toYaml(placed), host, events, context.signal),
  );
}

export function sft(options: SftOptions, context: TrainingContext, embedded: Embedded = {}): Promise<TrainSummary> {
  return inRunFolder(
    options,
    options.modelNameOrPath,
    context,
    (placed, host, events) => runSft(placed, sftOptions.toYaml(placed), host, events, context.signal),
    embedded,
  );
}

export function dpo(options: DpoOptions, context: TrainingContext, embedded: Embedded = {}): Promise<TrainSummary> {
  return inRunFolder(
    options,
    options.modelNameOrPath,
    context,
    (placed, host, events) => runDpo(placed, dpoOptions.toYaml(placed), host, events, context.signal),
    embedded,
  );
}

interface Placeable {
  readonly dataset: string;
  readonly outputDir: string | null;
  readonly resumeFromCheckpoint: string | null;
  readonly reportTo: "none" | "tensorboard";
}

/** Decides the run folder, keeps other processes out of it, opens the host, adds the watchers that the options name. */
async function inRunFolder<Options extends Placeable>(
  options: Options,
  model: string,
  { announce, events }: TrainingContext,
  run: (
    placed: Options & { readonly outputDir: string },
    host: TrainingHost,
    events: TrainEvents,
  ) => Promise<TrainSummary>,
  embedded: Embedded = {},
): Promise<TrainSummary> {
  const resumed =
    options.resumeFromCheckpoint === null
      ? undefined
      : await resumePoint(options.resumeFromCheckpoint, options.outputDir);
  const named = resumed?.runFolder ?? options.outputDir;
  const held = await (named === null ? holdNewRunFolder(newRunFolder(options.dataset, model)) : holdRunFolder(named));
  try {
    const placed = { ...options, outputDir: held.path, resumeFromCheckpoint: resumed?.checkpoint ?? null };
    const damaged = resumed?.damaged ?? [];
    if (damaged.length > 0)
      events.onNotice(
        `${damaged.join(", ")} in ${held.path}/checkpoints: not written to the end, or damaged, so the run goes on from ${resumed?.checkpoint}`,
      );
    const watching = placed.reportTo === "tensorboard" ? tensorboardEvents(events, placed.outputDir) : events;
    return await withHost(announce, (host) => run(placed, host, watching), embedded);
  } finally {
    await held.release();
  }
}
