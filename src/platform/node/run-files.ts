import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunFiles } from "../../train/run-folder";
import { explained, isMissing, nodeFolder, syncFolder, writeFolder, writeSynced } from "./files";

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
    append: (name, text) =>
      explain("write", name, async () => {
        await fs.mkdir(dirname(at(name)), { recursive: true });
        const handle = await fs.open(at(name), "a");
        try {
          await handle.appendFile(text);
          await handle.sync();
        } finally {
          await handle.close();
        }
      }),
    truncate: (name, bytes) =>
      explain("write", name, () =>
        fs.truncate(at(name), bytes).catch((error: unknown) => {
          if (!isMissing(error)) throw error;
        }),
      ),
    write: (name, text) =>
      explain("write", name, async () => {
        const folder = dirname(at(name));
        await fs.mkdir(folder, { recursive: true });
        const temporary = `${at(name)}.${process.pid}.tmp`;
        try {
          await writeSynced(temporary, typeof text === "string" ? text : encoded(text));
          await fs.rename(temporary, at(name));
        } catch (error) {
          await fs.rm(temporary, { force: true });
          throw error;
        }
        await syncFolder(folder);
      }),
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

async function* encoded(texts: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const text of texts) yield encoder.encode(text);
}
