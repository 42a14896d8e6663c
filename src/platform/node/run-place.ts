import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../../model/user-error";
import { isComplete, latestCheckpoint } from "./files";

/** A new run's folder when the user named none: `runs/<data>--<model>--<date and time>`. */
export function newRunFolder(dataset: string, model: string, now: Date = new Date()): string {
  const plain = (text: string) =>
    basename(text)
      .replace(/\.(?:jsonl?|parquet|txt)$/, "")
      .replace(/[^\w.-]+|^\.+$/g, "-");
  const time = now.toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return join("runs", `${plain(dataset)}--${plain(model)}--${time}`);
}

/** Where a run goes on: the checkpoint to read and the folder to write into. */
export interface ResumePoint {
  readonly checkpoint: string;
  readonly runFolder: string;
}

/**
 * What `--resume-from-checkpoint` and `--output-dir` mean together. `latest` is the newest complete checkpoint of `--output-dir`.
 * Without `--output-dir` a checkpoint in `<run>/checkpoints/` goes on in its own run folder.
 *
 * @throws UserError when there is no such checkpoint, or it was not written to its end
 */
export async function resumePoint(resumeFrom: string, outputDir: string | null): Promise<ResumePoint> {
  if (resumeFrom === "latest") {
    if (outputDir === null)
      throw new UserError("--resume-from-checkpoint latest needs --output-dir, the run folder to look in");
    const checkpoint = await latestCheckpoint(outputDir);
    if (checkpoint === undefined)
      throw new UserError(
        `${outputDir}: holds no complete checkpoint to go on from; start anew with another --output-dir`,
      );
    return { checkpoint, runFolder: outputDir };
  }
  if (!(await isComplete(resumeFrom)))
    throw new UserError(
      `--resume-from-checkpoint ${resumeFrom}: not a complete checkpoint; expected a folder such as runs/NAME/checkpoints/step_00050, or latest with --output-dir`,
    );
  const parent = dirname(resolve(resumeFrom));
  if (outputDir !== null) return { checkpoint: resumeFrom, runFolder: outputDir };
  if (basename(parent) !== "checkpoints")
    throw new UserError(
      `--resume-from-checkpoint ${resumeFrom}: is in no run folder; say where to go on with --output-dir`,
    );
  return { checkpoint: resumeFrom, runFolder: dirname(parent) };
}
