import * as fs from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { errorCode, UserError } from "../../base/errors";
import { BEST, readBest } from "../../session/best-checkpoint";
import { checkpointName } from "../../session/run-folder";
import { explained, isComplete, isMissing, latestCheckpoint } from "./files";
import { lockOwner, takeLock } from "./lock";

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
  /** Of `latest`: checkpoints of later steps that cannot be gone on from. */
  readonly damaged?: readonly string[];
}

/**
 * What `--resume-from-checkpoint` and `--output-dir` mean together. `latest` is the newest complete checkpoint of
 * `--output-dir`, `best` the one that its best.json names. Without `--output-dir` a checkpoint in `<run>/checkpoints/`
 * goes on in its own run folder.
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
    return { checkpoint, runFolder: outputDir, damaged: await laterThan(checkpoint) };
  }
  if (resumeFrom === "best") {
    if (outputDir === null)
      throw new UserError("--resume-from-checkpoint best needs --output-dir, the run folder to look in");
    return { checkpoint: await bestCheckpointOf(outputDir), runFolder: outputDir };
  }
  if (!(await isComplete(resumeFrom)))
    throw new UserError(
      `--resume-from-checkpoint ${resumeFrom}: not a complete checkpoint; ` +
        "expected a folder such as runs/NAME/checkpoints/step_00050, or latest with --output-dir",
    );
  const parent = dirname(resolve(resumeFrom));
  if (outputDir !== null) return { checkpoint: resumeFrom, runFolder: outputDir };
  if (basename(parent) !== "checkpoints")
    throw new UserError(
      `--resume-from-checkpoint ${resumeFrom}: is in no run folder; say where to go on with --output-dir`,
    );
  return { checkpoint: resumeFrom, runFolder: dirname(parent) };
}

async function bestCheckpointOf(runFolder: string): Promise<string> {
  const file = join(runFolder, "checkpoints", BEST);
  const text = await fs.readFile(file, "utf8").catch((error: unknown) => {
    if (isMissing(error))
      throw new UserError(
        `${file}: no such file; a run has it with --metric-for-best-model, otherwise name a checkpoint, or latest`,
      );
    throw explained(error, `cannot read ${file}`);
  });
  const checkpoint = join(runFolder, checkpointName(readBest(text, file).step));
  if (!(await isComplete(checkpoint)))
    throw new UserError(
      `${checkpoint}: is the best checkpoint by ${file}, but not a complete one; name another, or latest`,
    );
  return checkpoint;
}

/** Names of checkpoints of later steps than a complete one: they were not written to their end, or are damaged. */
async function laterThan(checkpoint: string): Promise<string[]> {
  const stepOf = (name: string) => Number(/^step_(\d+)$/.exec(name)?.[1] ?? -1);
  const names = await fs.readdir(dirname(checkpoint));
  return names.filter((name) => stepOf(name) > stepOf(basename(checkpoint))).sort();
}

/** Says which process writes into a run folder. */
const LOCK = ".lock";

/** A run folder that no other process writes into until `release`. */
export interface HeldFolder {
  readonly path: string;
  /** Lets others in. A folder that was made for the run and stayed empty goes. */
  release(): Promise<void>;
}

/**
 * Makes a run folder, unless it is there, and takes hold of it.
 *
 * @throws UserError when another process writes into it, or it cannot be made
 */
export async function holdRunFolder(path: string): Promise<HeldFolder> {
  try {
    const isNew = (await fs.mkdir(path, { recursive: true })) !== undefined;
    const release = await takeLock(join(path, LOCK), (owner) => inUse(path, owner));
    return {
      path,
      async release() {
        await release();
        if (isNew) await fs.rmdir(path).catch(() => undefined);
      },
    };
  } catch (error) {
    throw explained(error, `cannot write into ${path}`);
  }
}

/** Whether a living process writes into a run folder, as far as can be read. */
export async function isHeld(path: string): Promise<boolean> {
  return (await lockOwner(join(path, LOCK)).catch(() => undefined)) !== undefined;
}

function inUse(path: string, owner: number | undefined): UserError {
  const who = owner === undefined ? "another process" : owner === process.pid ? "this process" : `process ${owner}`;
  return new UserError(
    `${path}: ${who} writes a run into it; wait for its end, or choose another --output-dir ` +
      `(if no run is under way, delete ${join(path, LOCK)})`,
  );
}

/**
 * {@link holdRunFolder} of a folder that nobody has yet: `path`, or `path-2` and so on, for runs begun in the same
 * second.
 */
export async function holdNewRunFolder(path: string): Promise<HeldFolder> {
  await fs.mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw explained(error, `cannot write ${path}`);
  });
  for (let count = 1; ; count++) {
    const name = count === 1 ? path : `${path}-${count}`;
    try {
      await fs.mkdir(name);
    } catch (error) {
      if (errorCode(error) === "EEXIST") continue;
      throw explained(error, `cannot write ${name}`);
    }
    const held = await holdRunFolder(name);
    return {
      path: name,
      async release() {
        await held.release();
        await fs.rmdir(name).catch(() => undefined);
      },
    };
  }
}
