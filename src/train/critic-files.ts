/** The files of a separate critic in a checkpoint: those of a checkpoint of its own, with `critic_` before their names. */
import type { FolderReader, FolderWriter } from "../model/folder";

const PREFIX = "critic_";

export const criticFiles = {
  /** The critic's part of a folder as a folder. */
  reader(folder: FolderReader): FolderReader {
    return {
      path: folder.path,
      list: async () =>
        (await folder.list())?.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length)),
      open: (name) => folder.open(PREFIX + name),
    };
  },

  writer(writer: FolderWriter): FolderWriter {
    return { write: (name, content) => writer.write(PREFIX + name, content) };
  },
};
