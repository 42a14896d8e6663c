/** Training in Node: Dawn, folders on disk, Python in a child process, grading in a thread. */

import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { errorCode, reasonOf, UserError } from "../../base/errors";
import { createContext } from "../../gpu/context";
import type { OpenDevice } from "../../gpu/device";
import { gradingPlan } from "../../options/fields/reward";
import { createNoEngine } from "../../sandbox/no-engine";
import { openNodeEngine } from "../../sandbox/node/open-engine";
import type { TrainingHost } from "../../session/host";
import { Opened } from "../opened";
import { closeNodeDevice, openNodeDevice } from "./adapter";
import { type DownloadProgress, openDataset } from "./datasets";
import { type Embedded, embeddedDataset, embeddedText } from "./embedded";
import { latestCheckpoint, nodeFolder } from "./files";
import { modelFolder } from "./models";
import { napWhileWaiting } from "./polling";
import { nodeRewardPool } from "./reward-pool";
import { nodeRunFiles } from "./run-files";

/** A host with its device, Python and graders, which `close` ends. */
export interface NodeTrainingHost extends TrainingHost {
  close(): void;
}

/**
 * @param announce is given one line when the adapter is a fallback, and when making a snapshot of Python packages takes
 * a while
 * @param onDeviceFailure is called with the first error of the device: the run cannot go on
 * @param embedded what an embedding program gives as values
 */
export function nodeTrainingHost(
  announce: (line: string) => void,
  onDeviceFailure: (error: Error) => void = () => {},
  embedded: Embedded = {},
): NodeTrainingHost {
  const { rewardFunctions = {}, environmentFactory } = embedded;
  let device: OpenDevice | undefined;
  const opened = new Opened();
  return {
    async openGpu({ adapter, toggles }) {
      device = await openNodeDevice({ adapter: adapter ?? undefined, toggles, announce });
      device.failure.onFailure(onDeviceFailure);
      return createContext(device, device.profile.isSoftware ? napWhileWaiting() : undefined);
    },
    modelFolder: (nameOrPath, fetching) =>
      modelFolder(nameOrPath, { onProgress: announcingDownloads(announce), ...fetching }),
    openPython: async ({ maxToolCalls, toolMemoryMb, toolEngine = "wasi", toolUrl = null, toolPackages = null }) =>
      maxToolCalls === 0 || environmentFactory !== undefined
        ? createNoEngine()
        : opened.keep(
            openNodeEngine({
              engine: toolEngine,
              url: toolUrl,
              memoryMb: toolMemoryMb,
              packages: toolPackages,
              announce,
            }),
          ),
    environmentFactory,
    openRewards: async (options) => {
      const plan = gradingPlan(options, Object.keys(rewardFunctions));
      return opened.keep(nodeRewardPool({ ...plan, functions: rewardFunctions }));
    },
    async readText(path) {
      const text = embeddedText(embedded, path);
      if (text !== undefined) return text;
      let bytes: Uint8Array;
      try {
        bytes = await fs.readFile(path);
      } catch (error) {
        throw new UserError(`${path}: ${whyUnreadable(error)}; expected a file, or nano for the synthetic data`);
      }
      try {
        // Takes off the byte-order mark that editors on Windows write.
        return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      } catch {
        throw new UserError(`${path}: not UTF-8 text; convert it, for example with iconv -t UTF-8`);
      }
    },
    loadDataset: async (request, onProgress = announcingDownloads(announce), signal) =>
      embeddedDataset(embedded, request) ?? openDataset(request, process.env, onProgress, signal),
    runFiles: nodeRunFiles,
    checkpointFolder: async (path) => nodeFolder(path),
    close() {
      opened.close();
      if (device !== undefined) closeNodeDevice(device);
      device = undefined;
    },
  };
}

/** A line for each file that is fetched, where nobody watches its progress. */
function announcingDownloads(announce: (line: string) => void): DownloadProgress {
  let current: string | undefined;
  return (file, _, total) => {
    if (file === current) return;
    current = file;
    announce(`fetching ${file}${total === undefined ? "" : `, ${(total / 1e6).toFixed(1)} MB`}`);
  };
}

function whyUnreadable(error: unknown): string {
  const reasons: Record<string, string> = {
    ENOENT: "no such file",
    ENOTDIR: "no such file",
    EISDIR: "is a folder",
    EACCES: "permission denied",
  };
  return reasons[errorCode(error) ?? ""] ?? reasonOf(error);
}

/** The checkpoint that a model argument means: a run folder stands for its newest checkpoint. */
export async function checkpointOf(path: string): Promise<string> {
  if (!existsSync(join(path, "checkpoints"))) return path;
  return (await latestCheckpoint(path)) ?? path;
}
