/** What a run needs from the place where it runs; src/platform has one for Node and one for the browser. */
import type { GpuContext } from "../gpu/context";
import type { FolderReader } from "../model/folder";
import type { RewardOptions } from "../options/fields/reward";
import type { TrainOptions } from "../options/train";
import type { RewardPool } from "../reward/pool";
import type { EnvironmentFactory } from "../rollout/environment";
import type { PythonEngine } from "../sandbox/engine";
import type { DatasetSource, QuestionRow } from "./questions";
import type { RunFiles } from "./run-folder";

/** How a model's files may be fetched when they are not here. */
export interface ModelFetching {
  readonly offline?: boolean;
  /** @param total undefined when the server does not say */
  readonly onProgress?: (file: string, done: number, total: number | undefined) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Everything that differs between a terminal and a tab. */
export interface TrainingHost extends DatasetSource {
  openGpu(options: Pick<TrainOptions, "adapter" | "toggles">): Promise<GpuContext>;
  /**
   * A checkpoint folder by path, a shipped model by name, or a model of the hub, whose files are fetched when they are
   * read.
   */
  modelFolder(nameOrPath: string, fetching?: ModelFetching): FolderReader;
  openPython(
    options: Pick<TrainOptions, "toolMemoryMb" | "maxToolCalls"> &
      Partial<Pick<TrainOptions, "toolEngine" | "toolUrl" | "toolPackages">>,
  ): Promise<PythonEngine>;
  /** Makes what trajectories interact with in place of Python. */
  readonly environmentFactory?: EnvironmentFactory | undefined;
  /** @throws UserError when a reward function cannot be loaded */
  openRewards(options: RewardOptions): Promise<RewardPool>;
  /** A text file that the user named. @throws UserError when it cannot be read */
  readText(path: string): Promise<string>;
  /** A curriculum of one's own: whether a question may come at a step. Without it every question may. */
  acceptsQuestion?(question: QuestionRow, step: number): boolean;
  /** The run folder. */
  runFiles(outputDir: string): RunFiles;
  /**
   * The folder that --resume-from-checkpoint means: a path, or `latest` of the run folder.
   *
   * @throws UserError when there is none
   */
  checkpointFolder(nameOrPath: string, outputDir: string): Promise<FolderReader>;
}
