import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunFiles } from "../../session/run-folder";
import { explained, explainedFully, isMissing, nodeFolder, syncFolder, writeFolder, writeSynced } from "./files";

/** A run folder on disk. */
export function nodeRunFiles(path: string): RunFiles {
  const at = (name: string) => join(path, name);
  /** Says what failed in the user's terms. */
  const explain = async <T>(doing: string, name: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explained(error, `cannot ${doing} ${at(name)}`);
    }
  };
  return {
    path,
    read: (name) =>
      explain("read", name, () =>
        fs.readFile(at(name), "utf8").catch((error: unknown) => {
          if (isMissing(error)) return undefined;
          throw error;
        }),
      ),
    async append(name, text) {
      try {
        await fs.mkdir(dirname(at(name)), { recursive: true });
        const handle = await fs.open(at(name), "a");
        try {
          await handle.appendFile(text);
          await handle.sync();
        } finally {
          await handle.close();
        }
      } catch (error) {
        throw await explainedFully(error, at(name), () => Buffer.byteLength(text));
      }
    },
    truncate: (name, bytes) =>
      explain("write", name, () =>
        fs.truncate(at(name), bytes).catch((error: unknown) => {
          if (!isMissing(error)) throw error;
        }),
      ),
    async write(name, text) {
      const folder = dirname(at(name));
      const temporary = `${at(name)}.${process.pid}.tmp`;
      const content = encoded(typeof text === "string" ? [text] : text);
      try {
        await fs.mkdir(folder, { recursive: true });
        await writeSynced(temporary, content);
        await fs.rename(temporary, at(name));
        await syncFolder(folder);
      } catch (error) {
        await fs.rm(temporary, { force: true });
        throw await explainedFully(error, at(name), content.bytes);
      }
    },
    list: (folder) =>
      explain("list", folder, () =>
        fs.readdir(at(folder)).then(
          (names) => names.sort(),
          (error: unknown) => {
            if (isMissing(error)) return [];
            throw error;
          },
        ),
      ),
    rename: (from, to) =>
      explain("rename", from, async () => {
        await fs.rm(at(to), { recursive: true, force: true });
        await fs.rename(at(from), at(to));
      }),
    remove: (name) => explain("remove", name, () => fs.rm(at(name), { recursive: true, force: true })),
    writeFolder: (name, fill) => writeFolder(at(name), fill),
    folder: (name) => nodeFolder(at(name)),
  };
}

/** Texts as bytes, one pass; `bytes` reads what is left and counts all. */
function encoded(
  texts: Iterable<string> | AsyncIterable<string>,
): AsyncIterable<Uint8Array> & { bytes(): Promise<number> } {
  const encoder = new TextEncoder();
  const source = Symbol.asyncIterator in texts ? texts[Symbol.asyncIterator]() : texts[Symbol.iterator]();
  let total = 0;
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    const { done, value } = await source.next();
    if (done) return { done: true, value: undefined };
    const bytes = encoder.encode(value);
    total += bytes.byteLength;
    return { done: false, value: bytes };
  };
  return {
    [Symbol.asyncIterator]: () => ({ next }),
    async bytes() {
      for (let step = await next(); !step.done; ) step = await next();
      return total;
    },
  };
}
