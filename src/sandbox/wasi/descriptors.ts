import { Errno, FdFlag, FileType, OpenFlag, Right, WasiError } from "./abi";
import type { FileNode, FolderNode, FsNode, MemoryFs } from "./fs";

/** What a number of the guest stands for. */
export type Descriptor =
  | { kind: "stdin" }
  | { kind: "output"; stream: "stdout" | "stderr" }
  | { kind: "folder"; node: FolderNode; preopened: boolean }
  | { kind: "file"; node: FileNode; offset: number; read: boolean; write: boolean; append: boolean };

const MAX_OPEN = 64;

/** The guest's file descriptors: 0, 1, 2, the root folder as 3, and what it opens. */
export class Descriptors {
  readonly #fs: MemoryFs;
  readonly #open = new Map<number, Descriptor>();

  constructor(fs: MemoryFs) {
    this.#fs = fs;
    this.#open.set(0, { kind: "stdin" });
    this.#open.set(1, { kind: "output", stream: "stdout" });
    this.#open.set(2, { kind: "output", stream: "stderr" });
    this.#open.set(3, { kind: "folder", node: fs.root, preopened: true });
  }

  /** The numbers in use, ascending. */
  numbers(): number[] {
    return [...this.#open.keys()].sort((a, b) => a - b);
  }

  get(fd: number): Descriptor {
    const entry = this.#open.get(fd);
    if (entry === undefined) throw new WasiError(Errno.BADF);
    return entry;
  }

  file(fd: number): Descriptor & { kind: "file" } {
    const entry = this.get(fd);
    if (entry.kind === "file") return entry;
    throw new WasiError(entry.kind === "folder" ? Errno.ISDIR : Errno.SPIPE);
  }

  folder(fd: number): FolderNode {
    const entry = this.get(fd);
    if (entry.kind !== "folder") throw new WasiError(Errno.NOTDIR);
    return entry.node;
  }

  close(fd: number): void {
    const entry = this.get(fd);
    if (entry.kind === "file") this.#fs.release(entry.node);
    this.#open.delete(fd);
  }

  /** Opens a path below a folder and returns the lowest free number. */
  open(folder: FolderNode, path: string, flags: number, rights: bigint, fdFlags: number): number {
    if (this.#open.size >= MAX_OPEN) throw new WasiError(Errno.MFILE);
    const place = this.#fs.resolve(folder, path);
    const write = (rights & Right.FD_WRITE) !== 0n;
    let node: FsNode | undefined = place.node;
    if (node !== undefined && (flags & OpenFlag.CREAT) !== 0 && (flags & OpenFlag.EXCL) !== 0)
      throw new WasiError(Errno.EXIST);
    if (node === undefined) {
      if ((flags & OpenFlag.CREAT) === 0 || path.endsWith("/")) throw new WasiError(Errno.NOENT);
      node = this.#fs.createFile(place);
    }
    let fd = 0;
    while (this.#open.has(fd)) fd++;
    if (node.kind === "folder") {
      // Libc asks for writing on folders as well; writes to the descriptor fail with EISDIR.
      this.#open.set(fd, { kind: "folder", node, preopened: false });
      return fd;
    }
    if ((flags & OpenFlag.DIRECTORY) !== 0) throw new WasiError(Errno.NOTDIR);
    if (write && node.readOnly) throw new WasiError(Errno.ROFS);
    if ((flags & OpenFlag.TRUNC) !== 0) this.#fs.resize(node, 0);
    node.uses++;
    const read = (rights & Right.FD_READ) !== 0n;
    const append = (fdFlags & FdFlag.APPEND) !== 0;
    this.#open.set(fd, { kind: "file", node, offset: 0, read, write, append });
    return fd;
  }

  /** File type and size as `fd_filestat_get` and `path_filestat_get` report them. */
  static stat(node: FsNode | undefined): { inode: bigint; type: number; size: bigint } {
    if (node === undefined) return { inode: 0n, type: FileType.UNKNOWN, size: 0n };
    if (node.kind === "folder") return { inode: BigInt(node.inode), type: FileType.DIRECTORY, size: 0n };
    return { inode: BigInt(node.inode), type: FileType.REGULAR, size: BigInt(node.size) };
  }
}
