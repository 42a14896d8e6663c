import { Errno, WasiError } from "./abi";
import { Descriptors } from "./descriptors";
import type { FsNode } from "./fs";
import type { GuestAccess, GuestCalls } from "./guest";

/** Time stamp of every file: the guest can't tell when anything was made. */
const FILE_TIME = 1_735_689_600_000_000_000n;

/** The imports that take a path, and those that report on files and folders. Symbolic and hard links do not exist. */
export function pathCalls(host: GuestAccess): GuestCalls {
  const place = (fd: number, pointer: number, length: number) =>
    host.guest.fs.resolve(host.guest.descriptors.folder(fd), host.memory.text(pointer, length));
  const existing = (fd: number, pointer: number, length: number): FsNode => {
    const { node } = place(fd, pointer, length);
    if (node === undefined) throw new WasiError(Errno.NOENT);
    return node;
  };
  const writeStat = (result: number, node: FsNode | undefined) => {
    const { inode, type, size } = Descriptors.stat(node);
    const at = result >>> 0;
    host.memory.slice(at, 64).fill(0);
    host.memory.setU64(at + 8, inode);
    host.memory.setU8(at + 16, type);
    host.memory.setU64(at + 24, 1n);
    host.memory.setU64(at + 32, size);
    for (const field of [40, 48, 56]) host.memory.setU64(at + field, FILE_TIME);
    return Errno.SUCCESS;
  };
  return {
    path_open: (
      fd: number,
      _lookup: number,
      pointer: number,
      length: number,
      flags: number,
      rights: bigint,
      _inheriting: bigint,
      fdFlags: number,
      result: number,
    ) => {
      const { descriptors } = host.guest;
      const path = host.memory.text(pointer, length);
      host.memory.u32(result);
      host.memory.setU32(result, descriptors.open(descriptors.folder(fd), path, flags, rights, fdFlags));
      return Errno.SUCCESS;
    },
    path_create_directory: (fd: number, pointer: number, length: number) => {
      host.guest.fs.createFolder(place(fd, pointer, length));
      return Errno.SUCCESS;
    },
    path_remove_directory: (fd: number, pointer: number, length: number) => {
      host.guest.fs.remove(place(fd, pointer, length), true);
      return Errno.SUCCESS;
    },
    path_unlink_file: (fd: number, pointer: number, length: number) => {
      host.guest.fs.remove(place(fd, pointer, length), false);
      return Errno.SUCCESS;
    },
    path_rename: (fd: number, from: number, fromLength: number, toFd: number, to: number, toLength: number) => {
      host.guest.fs.rename(place(fd, from, fromLength), place(toFd, to, toLength));
      return Errno.SUCCESS;
    },
    path_filestat_get: (fd: number, _lookup: number, pointer: number, length: number, result: number) =>
      writeStat(result, existing(fd, pointer, length)),
    path_filestat_set_times: (fd: number, _lookup: number, pointer: number, length: number) => {
      existing(fd, pointer, length);
      return Errno.SUCCESS;
    },
    path_readlink: (fd: number, pointer: number, length: number) => {
      existing(fd, pointer, length);
      return Errno.INVAL;
    },
    fd_filestat_get: (fd: number, result: number) => {
      const entry = host.guest.descriptors.get(fd);
      return writeStat(result, entry.kind === "file" || entry.kind === "folder" ? entry.node : undefined);
    },
    fd_readdir: (fd: number, buffer: number, length: number, cookie: bigint, result: number) => {
      const folder = host.guest.descriptors.folder(fd);
      const names: [string, FsNode][] = [[".", folder], ["..", folder.parent], ...folder.entries];
      const target = host.memory.slice(buffer, length);
      let used = 0;
      for (let index = Number(cookie); index < names.length && used < target.length; index++) {
        const [name, node] = names[index] ?? [".", folder];
        const bytes = new TextEncoder().encode(name);
        const entry = new Uint8Array(24 + bytes.length);
        const view = new DataView(entry.buffer);
        const { inode, type } = Descriptors.stat(node);
        view.setBigUint64(0, BigInt(index + 1), true);
        view.setBigUint64(8, inode, true);
        view.setUint32(16, bytes.length, true);
        view.setUint8(20, type);
        entry.set(bytes, 24);
        // An entry that does not fit is cut: libc then knows that there is more.
        const part = entry.subarray(0, target.length - used);
        target.set(part, used);
        used += part.length;
      }
      host.memory.setU32(result, used);
      return Errno.SUCCESS;
    },
  };
}
