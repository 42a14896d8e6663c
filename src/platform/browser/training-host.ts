/**
 * Training in a browser worker: the browser's WebGPU, models by HTTP, Python in a frame of the page, files in memory,
 * grading in a worker.
 */

import { UserError } from "../../base/errors";
import { memoryFile } from "../../data/data-file";
import { namedSplit, readRows } from "../../data/dataset";
import { hubFiles } from "../../data/hub";
import { createContext } from "../../gpu/context";
import type { OpenDevice } from "../../gpu/device";
import type { FolderReader } from "../../model/folder";
import { gradingPlan } from "../../options/fields/reward";
import type { CustomRewardFunction } from "../../reward/custom";
import { createBrowserSandbox } from "../../sandbox/browser/engine";
import { createNoEngine } from "../../sandbox/no-engine";
import type { TrainingHost } from "../../session/host";
import { Opened } from "../opened";
import { openBrowserDevice } from "./adapter";
import { httpBytes, httpFolder, httpText } from "./http-folder";
import { MemoryRunFiles } from "./memory-files";
import { browserRewardPool } from "./reward-pool";

export interface BrowserHostOptions {
  /**
   * Holds `checkpoints/<name>/` with the shipped models and `python/` with the interpreter; user's addresses are
   * relative to it.
   */
  readonly base: URL;
  /** Is given one line when the adapter computes on the CPU. */
  readonly announce: (line: string) => void;
  /** Port of the page's sandbox frame; Python is started behind it when a run needs it. */
  readonly sandbox: MessagePort;
  /** Is called with the first error of the device: the run cannot go on. */
  readonly onDeviceFailure?: (error: Error) => void;
  /** Bytes of the interpreter loaded so far. */
  readonly onPythonProgress?: (loaded: number) => void;
  /** Reward functions of the page's own, which --reward-funcs names; their names go to `resolveTrainOptions` too. */
  readonly rewardFunctions?: Readonly<Record<string, CustomRewardFunction>>;
  /** An earlier host whose files this one goes on with. */
  readonly files?: Pick<BrowserTrainingHost, "runFiles"> | undefined;
}

export interface BrowserTrainingHost extends TrainingHost {
  /** The files of a run; the same object for the same folder, so a run can be resumed while the page lives. */
  runFiles(outputDir: string): MemoryRunFiles;
  /** Ends what was opened for a run: device, Python, graders. The files stay. */
  close(): void;
}

/** A host for one run. */
export function browserTrainingHost(options: BrowserHostOptions): BrowserTrainingHost {
  let device: OpenDevice | undefined;
  const opened = new Opened();
  const runs = new Map<string, MemoryRunFiles>();
  const runFiles = (outputDir: string) => {
    const files = runs.get(outputDir) ?? options.files?.runFiles(outputDir) ?? new MemoryRunFiles(outputDir);
    runs.set(outputDir, files);
    return files;
  };
  const address = (text: string) => {
    try {
      return new URL(text, options.base);
    } catch {
      throw new UserError(`${text}: not an address; expected one such as https://example.org/model`);
    }
  };
  return {
    async openGpu() {
      device = await openBrowserDevice({ announce: options.announce });
      if (options.onDeviceFailure !== undefined) device.failure.onFailure(options.onDeviceFailure);
      return createContext(device);
    },
    modelFolder: (nameOrPath, fetching) =>
      httpFolder(address(isName(nameOrPath) ? `checkpoints/${nameOrPath}` : nameOrPath), fetching),
    openPython: async ({ maxToolCalls, toolMemoryMb, toolEngine = "wasi", toolPackages = null }) => {
      if (maxToolCalls === 0 || toolEngine === "none") return createNoEngine();
      if (toolEngine !== "wasi" || toolPackages !== null)
        throw new UserError("a page runs Python by --tool-engine wasi without --tool-packages; leave both out");
      return opened.keep(
        createBrowserSandbox(options.sandbox, {
          assetUrl: address("python"),
          memoryMb: toolMemoryMb,
          ...(options.onPythonProgress === undefined ? {} : { onProgress: options.onPythonProgress }),
        }),
      );
    },
    openRewards: async (rewards) => {
      const functions = options.rewardFunctions ?? {};
      const pool = browserRewardPool({ ...gradingPlan(rewards, Object.keys(functions)), functions });
      return opened.keep(Promise.resolve(pool));
    },
    readText: (path) => httpText(address(path)),
    async loadDataset(request, onProgress, signal) {
      const named = namedSplit(request);
      if (named !== undefined && named.split.hub === undefined)
        throw new UserError(`${request.dataset}: is on no hub; give the address of a file`);
      if (named !== undefined && request.offline)
        throw new UserError(`${request.dataset}: --offline forbids to fetch it; give the address of a file`);
      const urls =
        named?.split.hub === undefined ? [address(request.dataset)] : hubFiles(named.split.hub).map(({ url }) => url);
      const files = [];
      for (const url of urls) {
        const bytes = await httpBytes(url, signal, (done, total) => onProgress?.(url.href, done, total));
        files.push(memoryFile(url.href, bytes));
      }
      const rows = await readRows(files, request, named?.split);
      return { name: request.dataset, split: named?.splitName ?? null, files: urls.map(String), rows };
    },
    runFiles,
    async checkpointFolder(path, outputDir): Promise<FolderReader> {
      const name = path.startsWith(`${outputDir}/`) ? path.slice(outputDir.length + 1) : path;
      const folder = runFiles(outputDir).folder(name);
      if ((await folder.list()) === undefined)
        throw new UserError(`${path}: no such checkpoint in this tab; start the run anew`);
      return folder;
    },
    close() {
      opened.close();
      device?.device.destroy();
      device = undefined;
    },
  };
}

/** A name of a shipped model, in contrast to an address. */
function isName(text: string): boolean {
  return /^[\w-][\w.-]*$/.test(text);
}
