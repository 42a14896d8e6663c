import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { errorCode, UserError } from "../../base/errors";
import { isRecord } from "../../base/json";
import { bytesText } from "../../base/text";
import type { FolderReader, FolderWriter } from "../../model/folder";
import type { ByteSource } from "../../model/safetensors/read";
import { isAlive } from "./lock";

/**
 * The file that says a folder was written to its end: JSON with the byte length of every other file. It is written last
 * and reaches the disk before the folder gets its name. A checkpoint without it, or with a file of another length, is
 * never resumed.
 */
export const MARKER = "COMPLETE";

/** Node refuses a single read of 2 GiB and more. */
const READ_BYTES = 2 ** 30;

/** A folder on disk. Files are opened for each read, so nothing has to be closed. */
export function nodeFolder(path: string): FolderReader {
  return {
    path,
    async list() {
      try {
        return (await fs.readdir(path)).sort();
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw explained(error, `cannot list ${path}`);
      }
    },
    async open(name) {
      refusePath(name);
      const file = join(path, name);
      try {
        const { size } = await fs.stat(file);
        return { size, read: (offset, length) => readRange(file, offset, length) } satisfies ByteSource;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw explained(error, `cannot read ${file}`);
      }
    },
  };
}

async function readRange(file: string, offset: number, length: number): Promise<Uint8Array> {
  const handle = await fs.open(file);
  try {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await handle.read(bytes, done, Math.min(READ_BYTES, length - done), offset + done);
      if (bytesRead === 0) throw new UserError(`${file}: shrank while it was read; fetch it again`);
      done += bytesRead;
    }
    return bytes;
  } catch (error) {
    throw explained(error, `cannot read ${file}`);
  } finally {
    await handle.close();
  }
}

/**
 * Writes a folder that appears under its name all at once: everything goes to a hidden folder beside it, reaches the
 * disk, gets its marker, and is renamed. Whatever stops it before the rename leaves what was there untouched. A folder
 * of that name is replaced; should the process die between the two renames this takes, {@link recoverFolders} puts the
 * old one back.
 */
export async function writeFolder(path: string, fill: (writer: FolderWriter) => Promise<void>): Promise<void> {
  const target = resolve(path);
  const parent = dirname(target);
  const temporary = hidden(target, "tmp");
  const previous = hidden(target, "old");
  try {
    await fs.mkdir(parent, { recursive: true });
    await recoverFolders(parent);
    writing.add(temporary).add(previous);
    for (const left of [temporary, previous]) await fs.rm(left, { recursive: true, force: true });
    await fs.mkdir(temporary);
    const lengths: Record<string, number> = {};
    await fill({
      async write(name, content) {
        refusePath(name);
        if (name === MARKER || name in lengths) throw new Error(`file ${name} is written twice`);
        lengths[name] = await writeSynced(join(temporary, name), content);
      },
    });
    await writeSynced(join(temporary, MARKER), `${JSON.stringify({ files: lengths })}\n`);
    await syncFolder(temporary);
    const replaced = await exists(target);
    if (replaced) await fs.rename(target, previous);
    await fs.rename(temporary, target);
    await syncFolder(parent);
    if (replaced) await fs.rm(previous, { recursive: true, force: true });
  } catch (error) {
    await fs.rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    if (!(await exists(target))) await fs.rename(previous, target).catch(() => undefined);
    throw await explainedFully(error, path, () => bytesOf(fill));
  } finally {
    writing.delete(temporary);
    writing.delete(previous);
  }
}

/** What a folder would hold. */
async function bytesOf(fill: (writer: FolderWriter) => Promise<void>): Promise<number> {
  let bytes = 0;
  await fill({
    async write(_, content) {
      for await (const piece of pieces(content)) bytes += piece.byteLength;
    },
  });
  return bytes;
}

/**
 * {@link explained} of something that cannot be written; where the disk is full, with what it takes and what there is.
 */
export async function explainedFully(
  error: unknown,
  path: string,
  needed: () => number | Promise<number>,
): Promise<unknown> {
  const plain = explained(error, `cannot write ${path}`);
  if (errorCode(error) !== "ENOSPC") return plain;
  try {
    const { bavail, bsize } = await fs.statfs(await existingParent(resolve(path)));
    const bytes = await needed();
    return new UserError(
      `cannot write ${path}: the disk is full; this takes ${bytesText(bytes)} and ${bytesText(bavail * bsize)} are ` +
        "free, so free some space (training then goes on with --resume-from-checkpoint latest) " +
        "or choose another --output-dir",
    );
  } catch {
    return plain;
  }
}

async function existingParent(path: string): Promise<string> {
  const parent = dirname(path);
  return parent === path || (await exists(parent)) ? parent : existingParent(parent);
}

/**
 * What this process is writing. A name with its number may also be left from one that had the number before, as in
 * containers.
 */
const writing = new Set<string>();

/**
 * Puts back folders that {@link writeFolder} had moved aside when its process died, and clears what that process left
 * unfinished. What a living process is writing is left alone.
 */
export async function recoverFolders(parent: string): Promise<void> {
  for (const name of await fs.readdir(parent)) {
    const [, target, pid, ending] = /^\.(.+)\.(\d+)\.(old|tmp)$/.exec(name) ?? [];
    const left = join(parent, name);
    const isWritten = Number(pid) === process.pid ? writing.has(resolve(left)) : isAlive(Number(pid));
    if (target === undefined || isWritten) continue;
    if (ending === "old" && !(await exists(join(parent, target)))) await fs.rename(left, join(parent, target));
    else await fs.rm(left, { recursive: true, force: true });
  }
}

/** Whether a folder has its marker, and every file that the marker lists at its full length. */
export async function isComplete(path: string): Promise<boolean> {
  try {
    const marker: unknown = JSON.parse(await fs.readFile(join(path, MARKER), "utf8"));
    if (!isRecord(marker) || !isRecord(marker.files)) return false;
    for (const [name, length] of Object.entries(marker.files))
      if ((await fs.stat(join(path, name))).size !== length) return false;
    return true;
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return false;
    throw error;
  }
}

/** The complete checkpoint of the highest step in `<runFolder>/checkpoints`, or undefined when there is none. */
export async function latestCheckpoint(runFolder: string): Promise<string | undefined> {
  const parent = join(runFolder, "checkpoints");
  if (!(await exists(parent))) return undefined;
  await recoverFolders(parent);
  const steps = (await fs.readdir(parent))
    .map((name) => ({ name, step: Number(/^step_(\d+)$/.exec(name)?.[1] ?? Number.NaN) }))
    .filter(({ step }) => !Number.isNaN(step))
    .sort((a, b) => b.step - a.step);
  for (const { name } of steps) if (await isComplete(join(parent, name))) return join(parent, name);
  return undefined;
}

/** Writes a file and waits until it is on the disk. @returns its length in bytes */
export async function writeSynced(
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
): Promise<number> {
  const handle = await fs.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o644);
  try {
    let length = 0;
    for await (const piece of pieces(content)) {
      await writeAll(handle, piece);
      length += piece.byteLength;
    }
    await handle.sync();
    return length;
  } finally {
    await handle.close();
  }
}

/** Writes every byte: a single write may take fewer. */
export async function writeAll(handle: fs.FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(READ_BYTES, bytes.byteLength - done));
    done += bytesWritten;
  }
}

function pieces(
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof content === "string") return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}

/**
 * Writes a file that appears under its name all at once, in place of one that was there.
 * @returns its length in bytes
 * @throws UserError when it cannot be written
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
): Promise<number> {
  const target = resolve(path);
  const temporary = hidden(target, "tmp");
  try {
    await fs.mkdir(dirname(target), { recursive: true });
    const length = await writeSynced(temporary, content);
    await fs.rename(temporary, target);
    await syncFolder(dirname(target));
    return length;
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    throw explained(error, `cannot write ${path}`);
  }
}

/** Makes the names in a folder durable. Windows cannot open a folder and needs no such step. */
export async function syncFolder(path: string): Promise<void> {
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(path);
  } catch (error) {
    if (errorCode(error) === "EISDIR" || errorCode(error) === "EPERM") return;
    throw error;
  }
  try {
    await handle.sync();
  } catch (error) {
    if (errorCode(error) !== "EPERM" && errorCode(error) !== "EINVAL") throw error;
  } finally {
    await handle.close();
  }
}

function hidden(path: string, ending: "tmp" | "old"): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${ending}`);
}

async function exists(path: string): Promise<boolean> {
  return fs.stat(path).then(
    () => true,
    () => false,
  );
}

function refusePath(name: string): void {
  if (name === "" || name === "." || name === ".." || /[/\\\0]/.test(name))
    throw new UserError(`${JSON.stringify(name)} is not the plain name of a file`);
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR";
}

/** What the operating system's codes mean to a person; anything else stays as it is. */
export function explained(error: unknown, what: string, other = "--output-dir"): unknown {
  const reasons: Record<string, string> = {
    ENOSPC: `the disk is full; free some space or choose another ${other}`,
    EDQUOT: `the disk quota is used up; free some space or choose another ${other}`,
    EACCES: "permission denied; choose a folder of your own",
    EPERM: "permission denied; choose a folder of your own",
    EROFS: "the file system is read-only; choose another folder",
    ENOTDIR: "a part of the path is a file; choose another folder",
    EEXIST: "a part of the path is a file; choose another folder",
  };
  const reason = reasons[errorCode(error) ?? ""];
  return reason === undefined ? error : new UserError(`${what}: ${reason}`);
}
