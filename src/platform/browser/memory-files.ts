import { at } from "../../base/must";
import type { FolderReader } from "../../model/folder";
import { bytesSource } from "../../model/safetensors/read";
import type { RunFiles } from "../../session/run-folder";
import { tarBlob } from "../tar";

/**
 * As on disk: lists the lengths of a folder's files and is written last, so that Node resumes from a downloaded
 * checkpoint.
 */
const MARKER = "COMPLETE";

/**
 * The files of a run in memory, with the run folder's layout. They are gone with the page unless they are downloaded.
 */
export class MemoryRunFiles implements RunFiles {
  readonly path: string;
  /** Full names with the pieces of each file. */
  readonly #files = new Map<string, Uint8Array<ArrayBuffer>[]>();

  constructor(path: string) {
    this.path = path;
  }

  async read(name: string): Promise<string | undefined> {
    const pieces = this.#files.get(name);
    return pieces && new Blob(pieces).text();
  }

  async append(name: string, text: string): Promise<void> {
    const pieces = this.#files.get(name) ?? [];
    this.#files.set(name, pieces);
    pieces.push(new TextEncoder().encode(text));
  }

  async truncate(name: string, bytes: number): Promise<void> {
    const pieces = this.#files.get(name);
    if (pieces !== undefined)
      this.#files.set(name, [new Uint8Array(await new Blob(pieces).slice(0, bytes).arrayBuffer())]);
  }

  async write(name: string, text: string | Iterable<string> | AsyncIterable<string>): Promise<void> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for await (const part of typeof text === "string" ? [text] : text) pieces.push(new TextEncoder().encode(part));
    this.#files.set(name, pieces);
  }

  async list(folder: string): Promise<string[]> {
    return this.#children(folder);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.remove(to);
    for (const [name, pieces] of [...this.#files]) {
      if (!isAt(name, from)) continue;
      this.#files.delete(name);
      this.#files.set(to + name.slice(from.length), pieces);
    }
  }

  async remove(name: string): Promise<void> {
    for (const each of [...this.#files.keys()]) if (isAt(each, name)) this.#files.delete(each);
  }

  async writeFolder(name: string, fill: Parameters<RunFiles["writeFolder"]>[1]): Promise<void> {
    const written = new Map<string, Uint8Array<ArrayBuffer>[]>();
    await fill({
      async write(file, content) {
        if (file === MARKER || written.has(file)) throw new Error(`file ${file} is written twice`);
        const pieces: Uint8Array<ArrayBuffer>[] = [];
        if (typeof content === "string") pieces.push(new TextEncoder().encode(content));
        else if (content instanceof Uint8Array) pieces.push(new Uint8Array(content));
        // A copy: the writer may use its buffer again.
        else for await (const piece of content) pieces.push(new Uint8Array(piece));
        written.set(file, pieces);
      },
    });
    const lengths = Object.fromEntries([...written].map(([file, pieces]) => [file, byteLength(pieces)]));
    written.set(MARKER, [new TextEncoder().encode(`${JSON.stringify({ files: lengths })}\n`)]);
    await this.remove(name);
    for (const [file, pieces] of written) this.#files.set(`${name}/${file}`, pieces);
  }

  folder(name: string): FolderReader {
    return {
      path: `${this.path}/${name}`,
      list: async () => {
        const names = this.#children(name);
        return names.length > 0 ? names : undefined;
      },
      open: async (file) => {
        const pieces = this.#files.get(name === "" ? file : `${name}/${file}`);
        return pieces && bytesSource(new Uint8Array(await new Blob(pieces).arrayBuffer()));
      },
    };
  }

  /** The whole run folder as one tar file. */
  archive(): Blob {
    const root = this.path.split("/").at(-1) ?? "run";
    return tarBlob([...this.#files].map(([name, pieces]) => [`${root}/${name}`, pieces] as const));
  }

  #children(folder: string): string[] {
    const names = [...this.#files.keys()]
      .filter((name) => name.startsWith(`${folder}/`))
      .map((name) => at(name.slice(folder.length + 1).split("/"), 0));
    return [...new Set(names)].sort();
  }
}

function isAt(name: string, place: string): boolean {
  return name === place || name.startsWith(`${place}/`);
}

function byteLength(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
}
