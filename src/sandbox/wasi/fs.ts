import { must } from "../../base/must";
import { Errno, WasiError } from "./abi";

/** What a guest may keep in files; they live on the host's heap, outside the limit of its linear memory. */
export interface FsLimits {
  bytes: number;
  /** Files and folders together. */
  entries: number;
  /** Folders below the root. */
  depth: number;
}

export const DEFAULT_FS_LIMITS: FsLimits = { bytes: 16 * 1024 * 1024, entries: 512, depth: 16 };

export interface FileNode {
  kind: "file";
  inode: number;
  readOnly: boolean;
  /** May be longer than the file. */
  data: Uint8Array;
  size: number;
  /** Names in folders plus open descriptors: at 0 the bytes are given back. */
  uses: number;
}

export interface FolderNode {
  kind: "folder";
  inode: number;
  readOnly: boolean;
  entries: Map<string, FsNode>;
  /** The folder itself for the root. */
  parent: FolderNode;
  /** False once it has been removed. */
  linked: boolean;
}

export type FsNode = FileNode | FolderNode;

/** Where a path ends: the folder, the last name in it, and the node of that name if there is one. */
export interface Place {
  folder: FolderNode;
  name: string;
  node: FsNode | undefined;
}

/**
 * A tree of files in memory: read-only ones handed in by the host, and a few small ones of the guest. No links of any
 * kind.
 */
export class MemoryFs {
  readonly root: FolderNode;
  readonly #limits: FsLimits;
  #bytes = 0;
  #entries = 0;
  #inodes = 1;

  /** @param files read-only files by absolute path; their folders are read-only too, the root is not. */
  constructor(files: ReadonlyMap<string, Uint8Array>, limits: FsLimits = DEFAULT_FS_LIMITS) {
    this.#limits = limits;
    this.root = this.#folder(undefined, false);
    this.root.entries.set("tmp", this.#folder(this.root, false));
    for (const [path, data] of files) {
      const parts = path.split("/").filter((part) => part !== "");
      const name = must(parts.pop(), `the name in ${path}`);
      let folder = this.root;
      for (const part of parts) {
        const known = folder.entries.get(part);
        if (known?.kind === "folder") folder = known;
        else {
          const made = this.#folder(folder, true);
          folder.entries.set(part, made);
          folder = made;
        }
      }
      folder.entries.set(name, {
        kind: "file",
        inode: this.#inodes++,
        readOnly: true,
        data,
        size: data.length,
        uses: 1,
      });
    }
  }

  #folder(parent: FolderNode | undefined, readOnly: boolean): FolderNode {
    const node = { kind: "folder" as const, inode: this.#inodes++, readOnly, entries: new Map(), linked: true };
    const folder: Omit<FolderNode, "parent"> & { parent?: FolderNode } = node;
    return Object.assign(folder, { parent: parent ?? (folder as FolderNode) });
  }

  /** Follows a path from a folder. `..` at the root and absolute paths are refused. */
  resolve(from: FolderNode, path: string): Place {
    if (path.startsWith("/")) throw new WasiError(Errno.NOTCAPABLE);
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    let folder = from;
    for (const [index, part] of parts.entries()) {
      if (part.length > 255) throw new WasiError(Errno.NAMETOOLONG);
      if (part === "..") {
        if (folder === this.root) throw new WasiError(Errno.NOTCAPABLE);
        folder = folder.parent;
        continue;
      }
      const node = folder.entries.get(part);
      if (index === parts.length - 1) {
        if (node?.kind === "file" && path.endsWith("/")) throw new WasiError(Errno.NOTDIR);
        return { folder, name: part, node };
      }
      if (node === undefined) throw new WasiError(Errno.NOENT);
      if (node.kind !== "folder") throw new WasiError(Errno.NOTDIR);
      folder = node;
    }
    return { folder: folder.parent, name: "", node: folder };
  }

  createFile(place: Place): FileNode {
    this.#admit(place.folder);
    const file: FileNode = {
      kind: "file",
      inode: this.#inodes++,
      readOnly: false,
      data: new Uint8Array(0),
      size: 0,
      uses: 1,
    };
    place.folder.entries.set(place.name, file);
    return file;
  }

  createFolder(place: Place): void {
    if (place.node !== undefined) throw new WasiError(Errno.EXIST);
    let depth = 1;
    for (let at = place.folder; at !== this.root; at = at.parent) depth++;
    if (depth > this.#limits.depth) throw new WasiError(Errno.NOSPC);
    this.#admit(place.folder);
    place.folder.entries.set(place.name, this.#folder(place.folder, false));
  }

  #admit(folder: FolderNode): void {
    if (folder.readOnly) throw new WasiError(Errno.ROFS);
    if (!folder.linked) throw new WasiError(Errno.NOENT);
    if (this.#entries >= this.#limits.entries) throw new WasiError(Errno.NOSPC);
    this.#entries++;
  }

  /** Takes a file (or, with `folder`, an empty folder) out of the tree. */
  remove(place: Place, folder: boolean): void {
    const { node } = place;
    if (node === undefined) throw new WasiError(Errno.NOENT);
    if (place.folder.readOnly || node.readOnly || place.name === "") throw new WasiError(Errno.ROFS);
    if (node.kind === "folder") {
      if (!folder) throw new WasiError(Errno.ISDIR);
      if (node.entries.size > 0) throw new WasiError(Errno.NOTEMPTY);
      node.linked = false;
    } else {
      if (folder) throw new WasiError(Errno.NOTDIR);
      this.release(node);
    }
    place.folder.entries.delete(place.name);
    this.#entries--;
  }

  rename(from: Place, to: Place): void {
    const { node } = from;
    if (node === undefined) throw new WasiError(Errno.NOENT);
    if (from.folder.readOnly || to.folder.readOnly || node.readOnly || from.name === "" || to.name === "")
      throw new WasiError(Errno.ROFS);
    if (to.node === node) return;
    if (node.kind === "folder") {
      // Folders keep their place: moving one could lift the depth limit or make a circle.
      if (to.folder !== from.folder) throw new WasiError(Errno.NOTSUP);
      if (to.node?.kind === "file") throw new WasiError(Errno.NOTDIR);
    } else if (to.node?.kind === "folder") throw new WasiError(Errno.ISDIR);
    if (!to.folder.linked) throw new WasiError(Errno.NOENT);
    if (to.node !== undefined) this.remove(to, to.node.kind === "folder");
    from.folder.entries.delete(from.name);
    to.folder.entries.set(to.name, node);
  }

  /** Sets a file's size; ENOSPC when the guest's files together would exceed the quota. */
  resize(file: FileNode, size: number): void {
    if (file.readOnly) throw new WasiError(Errno.ROFS);
    const more = size - file.size;
    if (!Number.isSafeInteger(size) || size < 0) throw new WasiError(Errno.FBIG);
    if (this.#bytes + more > this.#limits.bytes) throw new WasiError(Errno.NOSPC);
    if (size > file.data.length) {
      const data = new Uint8Array(Math.min(Math.max(size, 2 * file.data.length, 256), this.#limits.bytes));
      data.set(file.data.subarray(0, file.size));
      file.data = data;
    } else if (size < file.size) file.data.fill(0, size, file.size);
    this.#bytes += more;
    file.size = size;
  }

  write(file: FileNode, offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (offset + bytes.length > file.size) this.resize(file, offset + bytes.length);
    else if (file.readOnly) throw new WasiError(Errno.ROFS);
    file.data.set(bytes, offset);
  }

  /** One use of a file ends. */
  release(file: FileNode): void {
    file.uses--;
    if (file.uses > 0 || file.readOnly) return;
    this.#bytes -= file.size;
    file.size = 0;
    file.data = new Uint8Array(0);
  }
}
