/** The training worker: everything but the drawing. It outlives a pause, so the run's files stay here. */
import * as Comlink from "comlink";
import { bytesText } from "../base/text";
import { type TrainOptions, trainOptions } from "../options/train";
import { type BrowserTrainingHost, browserTrainingHost } from "../platform/browser/training-host";
import type { TrainEvents, TrainSummary } from "../session/events";
import { runTraining } from "../train/loop";

/** One start, or one continuation. Plain data: it crosses to the worker. */
export interface TrainRequest {
  readonly options: TrainOptions;
  /** Address of the folder that holds checkpoints/ and python/. */
  readonly base: string;
  /** Port of a sandbox frame, transferred; one for each start. */
  readonly sandbox: MessagePort;
}

/** What the page can ask of the worker. */
export interface Trainer {
  /** Trains until the end or until `stop`. @throws UserError for what the user can repair; the device's first error */
  train(request: TrainRequest, events: TrainEvents): Promise<TrainSummary>;
  /** Ends the step in progress at the next chance; the last finished one is saved. */
  stop(): void;
  /** The run folder as a tar file; undefined when nothing was trained. */
  archive(): Blob | undefined;
}

/** Name of the one run folder; its files are in memory. */
const RUN_FOLDER = "nano-run";

let stopping = new AbortController();
let host: BrowserTrainingHost | undefined;

const trainer: Trainer = {
  async train({ options, base, sandbox }, events) {
    stopping = new AbortController();
    // A lost device leaves promises that never settle, so its error must win over them.
    let failed: (error: Error) => void = () => {};
    const failure = new Promise<never>((_, reject) => {
      failed = reject;
    });
    host = browserTrainingHost({
      base: new URL(base),
      sandbox,
      files: host,
      announce: (line) => events.onNotice(line),
      onDeviceFailure: failed,
      onPythonProgress: (loaded) =>
        events.onPhase("setup", { step: 0, waitingFor: `Python (${bytesText(loaded)} loaded)` }),
    });
    const placed = { ...options, outputDir: RUN_FOLDER };
    try {
      return await Promise.race([
        runTraining(placed, trainOptions.toYaml(placed), host, events, stopping.signal),
        failure,
      ]);
    } finally {
      host.close();
    }
  },
  stop: () => stopping.abort(),
  archive: () => host?.runFiles(RUN_FOLDER).archive(),
};

Comlink.expose(trainer);
