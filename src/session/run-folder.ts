import { UserError } from "../base/errors";
import type { FolderReader, FolderWriter } from "../model/folder";
import { rolloutFileName } from "../rollout/records";
import { BEST, type BestCheckpoint, bestJson } from "./best-checkpoint";
import type { EvaluationRow } from "./metrics";
import { type MetricsRow, metricsLine, rowsUpTo, trajectoryTable } from "./metrics";

/** The files of one run, wherever they are. Names are relative, with `/`. Missing folders are made. */
export interface RunFiles {
  /** What to call the folder in messages. */
  readonly path: string;
  /** A text, or undefined when there is no such file. */
  read(name: string): Promise<string | undefined>;
  /** Resolves when the text is on the disk. */
  append(name: string, text: string): Promise<void>;
  /** Cuts a file to its first bytes; it may be missing. */
  truncate(name: string, bytes: number): Promise<void>;
  /** Replaces a file all at once. */
  write(name: string, text: string | Iterable<string> | AsyncIterable<string>): Promise<void>;
  /** Names in a folder; none when there is no such folder. */
  list(folder: string): Promise<string[]>;
  /** Replaces what has the new name. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a folder; it may be gone already. */
  remove(name: string): Promise<void>;
  /** Makes a folder that appears under its name all at once, marked as complete; replaces one of that name. */
  writeFolder(name: string, fill: (writer: FolderWriter) => Promise<void>): Promise<void>;
  /** A folder for reading; "" is the run folder itself. */
  folder(name: string): FolderReader;
}

export const CONFIG = "config.resolved.yaml";
const METRICS = "metrics.jsonl";
const EVALUATION = "evaluation.jsonl";
const TRAJECTORY = "evaluation.md";
const ROLLOUTS = "rollouts";
const CHECKPOINTS = "checkpoints";
const SNAPSHOTS = "snapshots";
const MOST_SNAPSHOTS = 3;
/** A checkpoint of a step that a resumed run has yet to reach is set aside under this ending, never deleted. */
const SUPERSEDED = ".superseded";

/**
 * What a run leaves behind:
 *
 * - `config.resolved.yaml`: every option; `--config` reads it back
 * - `metrics.jsonl`: one row per step ({@link MetricsRow})
 * - `evaluation.jsonl`, `evaluation.md`: figures on held-out questions by step, as rows and as a table
 * - `rollouts/step_00010.jsonl`: the trajectories of a step, one per line
 * - `checkpoints/step_00050/`: model and training state after a step
 * - `checkpoints/best.json`: which of them is the best by `--metric-for-best-model`, which keeps it
 * - `snapshots/step_00012/`: what to look into after an update that was left out, of the first few such steps
 *
 * A step's row is written before its checkpoint, so whatever checkpoint exists, the rows up to it do too.
 */
export class RunFolder {
  readonly path: string;
  readonly #files: RunFiles;

  private constructor(files: RunFiles) {
    this.path = files.path;
    this.#files = files;
  }

  /**
   * Begins a run in a new folder, or in one whose run never finished a step.
   *
   * @throws UserError when the folder holds a run
   */
  static async start(files: RunFiles, configYaml: string): Promise<RunFolder> {
    const isEmpty = ((await files.read(METRICS)) ?? "") === "";
    const isSaved = (await numbered(files, CHECKPOINTS, /^step_(\d+)$/)).length > 0;
    if (!isEmpty || isSaved || (await files.list(ROLLOUTS)).length > 0)
      throw new UserError(
        isSaved
          ? `${files.path} already holds a run; go on with it by --resume-from-checkpoint latest, or choose another --output-dir`
          : `${files.path} already holds a run, which ended before its first checkpoint; delete the folder, or choose another --output-dir`,
      );
    await files.write(CONFIG, configYaml);
    await files.write(METRICS, "");
    for (const name of [EVALUATION, TRAJECTORY]) await files.remove(name);
    return new RunFolder(files);
  }

  /**
   * Goes on after a step: what the folder holds of later steps (rows, rollouts) is cut, later checkpoints are set
   * aside, so that the folder ends up as if the run had never stopped. The folder may be new, when a run goes on
   * elsewhere.
   *
   * @param step the step of the checkpoint that is resumed
   * @param best the best checkpoint up to there
   */
  static async resume(files: RunFiles, configYaml: string, step: number, best?: BestCheckpoint): Promise<RunFolder> {
    const metrics = cut((await files.read(METRICS)) ?? "", step, `${files.path}/${METRICS}`);
    const evaluated = await files.read(EVALUATION);
    const evaluations = evaluated && cut(evaluated, step, `${files.path}/${EVALUATION}`);
    // The newest first, and all of them before any row is cut: whatever stops this, the rows up to the newest
    // checkpoint are there.
    for (const { name, step: at } of (await numbered(files, CHECKPOINTS, /^step_(\d+)$/)).reverse())
      if (at > step) await files.rename(`${CHECKPOINTS}/${name}`, `${CHECKPOINTS}/${name}${SUPERSEDED}`);
    // What a killed process was writing.
    for (const folder of [".", ROLLOUTS, CHECKPOINTS])
      for (const name of await files.list(folder))
        if (/^\w.*\.\d+\.tmp$/.test(name)) await files.remove(`${folder}/${name}`);
    await files.write(CONFIG, configYaml);
    await files.write(METRICS, metrics);
    if (evaluations !== undefined) await files.write(EVALUATION, evaluations);
    for (const { name, step: at } of await numbered(files, ROLLOUTS, /^step_(\d+)\.jsonl$/))
      if (at > step) await files.remove(`${ROLLOUTS}/${name}`);
    for (const { name, step: at } of await numbered(files, SNAPSHOTS, /^step_(\d+)$/))
      if (at > step) await files.remove(`${SNAPSHOTS}/${name}`);
    if (best === undefined) await files.remove(`${CHECKPOINTS}/${BEST}`);
    else await files.write(`${CHECKPOINTS}/${BEST}`, bestJson(best));
    return new RunFolder(files);
  }

  async logMetrics(row: MetricsRow): Promise<void> {
    await this.#files.append(METRICS, metricsLine(row));
  }

  /** Adds the evaluation of a step, in place of an earlier one of the same step. @returns all rows so far */
  async logEvaluation(row: EvaluationRow): Promise<readonly EvaluationRow[]> {
    const lines = rowsUpTo((await this.#files.read(EVALUATION)) ?? "", row.step - 1) + metricsLine(row);
    await this.#files.write(EVALUATION, lines);
    const rows = lines
      .split("\n")
      .slice(0, -1)
      .map((line): EvaluationRow => JSON.parse(line));
    await this.#files.write(TRAJECTORY, trajectoryTable(rows));
    return rows;
  }

  /**
   * Writes the trajectories of a step, replacing what an interrupted attempt left.
   *
   * @param records one line each, without the line break
   */
  async logRollouts(step: number, records: Iterable<string>): Promise<void> {
    await this.#files.write(`${ROLLOUTS}/${rolloutFileName(step)}`, lines(records));
  }

  /** Writes a folder to look into, unless the run has enough of them. @returns its path */
  async saveSnapshot(step: number, fill: (writer: FolderWriter) => Promise<void>): Promise<string | undefined> {
    if ((await numbered(this.#files, SNAPSHOTS, /^step_(\d+)$/)).length >= MOST_SNAPSHOTS) return undefined;
    const name = `${SNAPSHOTS}/step_${digits(step)}`;
    await this.#files.writeFolder(name, fill);
    return `${this.path}/${name}`;
  }

  /**
   * Writes the checkpoint of a step, then deletes the oldest ones beyond `keep`, but for the best one.
   *
   * @returns its path, for `--resume-from-checkpoint`
   */
  async saveCheckpoint(
    step: number,
    fill: (writer: FolderWriter) => Promise<void>,
    keep?: number | null,
    best?: BestCheckpoint,
  ): Promise<string> {
    const name = checkpointName(step);
    // Before the checkpoint: whatever stops this, a resume writes the file anew, and a whole checkpoint may have no
    // resume.
    if (best !== undefined) await this.#files.write(`${CHECKPOINTS}/${BEST}`, bestJson(best));
    await this.#files.writeFolder(name, fill);
    if (keep !== undefined && keep !== null) {
      const saved = await numbered(this.#files, CHECKPOINTS, /^step_(\d+)$/);
      for (const old of saved.slice(0, -keep))
        if (old.step < step && old.step !== best?.step) await this.#files.remove(`${CHECKPOINTS}/${old.name}`);
    }
    return `${this.path}/${name}`;
  }
}

/** The folder of a step's checkpoint, within the run folder. */
export function checkpointName(step: number): string {
  return `${CHECKPOINTS}/step_${digits(step)}`;
}

function digits(step: number): string {
  return String(step).padStart(5, "0");
}

function* lines(records: Iterable<string>): Generator<string> {
  for (const record of records) yield `${record}\n`;
}

function cut(text: string, step: number, file: string): string {
  try {
    return rowsUpTo(text, step);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`${file}: ${why}; repair or delete that line, or choose another --output-dir`);
  }
}

async function numbered(files: RunFiles, folder: string, pattern: RegExp): Promise<{ name: string; step: number }[]> {
  return (await files.list(folder))
    .flatMap((name) => {
      const step = pattern.exec(name)?.[1];
      return step === undefined ? [] : [{ name, step: Number(step) }];
    })
    .sort((a, b) => a.step - b.step);
}
