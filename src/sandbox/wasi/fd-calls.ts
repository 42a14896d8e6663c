import { Errno, FdFlag, FileType, Right, WasiError } from "./abi";
import { type GuestAccess, type GuestCalls, GuestStop } from "./guest";

/** Reading, writing and asking about open descriptors. */
export function fdCalls(host: GuestAccess): GuestCalls {
  const known = (fd: number) => {
    host.guest.descriptors.get(fd);
    return Errno.SUCCESS;
  };
  return {
    fd_advise: (fd: number) => known(fd),
    fd_sync: (fd: number) => known(fd),
    fd_datasync: (fd: number) => known(fd),
    fd_filestat_set_times: (fd: number) => known(fd),
    fd_close: (fd: number) => {
      host.guest.descriptors.close(fd);
      return Errno.SUCCESS;
    },
    fd_read: (fd: number, vectors: number, count: number, result: number) => {
      const entry = host.guest.descriptors.get(fd);
      if (entry.kind === "stdin") {
        if (host.onStdin()) return Errno.SUCCESS;
        const read = readInto(host.memory.vectors(vectors, count), host.guest.options.stdin, host.guest.stdinOffset);
        host.guest.stdinOffset += read;
        host.memory.setU32(result, read);
        return Errno.SUCCESS;
      }
      const file = host.guest.descriptors.file(fd);
      if (!file.read) return Errno.BADF;
      const data = file.node.data.subarray(0, file.node.size);
      const read = readInto(host.memory.vectors(vectors, count), data, file.offset);
      file.offset += read;
      host.memory.setU32(result, read);
      return Errno.SUCCESS;
    },
    fd_pread: (fd: number, vectors: number, count: number, offset: bigint, result: number) => {
      const file = host.guest.descriptors.file(fd);
      if (!file.read) return Errno.BADF;
      const data = file.node.data.subarray(0, file.node.size);
      host.memory.setU32(result, readInto(host.memory.vectors(vectors, count), data, position(offset)));
      return Errno.SUCCESS;
    },
    fd_write: (fd: number, vectors: number, count: number, result: number) => {
      const entry = host.guest.descriptors.get(fd);
      const buffers = host.memory.vectors(vectors, count);
      if (entry.kind === "output") {
        host.memory.setU32(result, writeOutput(host, entry.stream, buffers));
        return Errno.SUCCESS;
      }
      const file = host.guest.descriptors.file(fd);
      if (!file.write) return Errno.BADF;
      if (file.append) file.offset = file.node.size;
      let written = 0;
      for (const buffer of buffers) {
        host.guest.fs.write(file.node, file.offset, buffer);
        file.offset += buffer.length;
        written += buffer.length;
      }
      host.memory.setU32(result, written);
      return Errno.SUCCESS;
    },
    fd_pwrite: (fd: number, vectors: number, count: number, offset: bigint, result: number) => {
      const file = host.guest.descriptors.file(fd);
      if (!file.write) return Errno.BADF;
      let at = position(offset);
      const start = at;
      for (const buffer of host.memory.vectors(vectors, count)) {
        host.guest.fs.write(file.node, at, buffer);
        at += buffer.length;
      }
      host.memory.setU32(result, at - start);
      return Errno.SUCCESS;
    },
    fd_seek: (fd: number, delta: bigint, whence: number, result: number) => {
      const file = host.guest.descriptors.file(fd);
      if (whence >>> 0 > 2) return Errno.INVAL;
      const base = whence === 0 ? 0 : whence === 1 ? file.offset : file.node.size;
      file.offset = position(BigInt(base) + delta);
      host.memory.setU64(result, BigInt(file.offset));
      return Errno.SUCCESS;
    },
    fd_tell: (fd: number, result: number) => {
      host.memory.setU64(result, BigInt(host.guest.descriptors.file(fd).offset));
      return Errno.SUCCESS;
    },
    fd_allocate: (fd: number, offset: bigint, length: bigint) => {
      const file = host.guest.descriptors.file(fd);
      if (!file.write) return Errno.BADF;
      const size = position(offset + length);
      if (size > file.node.size) host.guest.fs.resize(file.node, size);
      return Errno.SUCCESS;
    },
    fd_filestat_set_size: (fd: number, size: bigint) => {
      const file = host.guest.descriptors.file(fd);
      if (!file.write) return Errno.BADF;
      host.guest.fs.resize(file.node, position(size));
      return Errno.SUCCESS;
    },
    fd_fdstat_get: (fd: number, result: number) => {
      const entry = host.guest.descriptors.get(fd);
      const type =
        entry.kind === "folder" ? FileType.DIRECTORY : entry.kind === "file" ? FileType.REGULAR : FileType.UNKNOWN;
      // Without seek and tell a stream is no terminal to libc; folders must have every right for path calls.
      const rights =
        entry.kind === "folder"
          ? 0x1fff_ffffn
          : entry.kind === "file"
            ? Right.FD_SEEK | Right.FD_TELL | (entry.read ? Right.FD_READ : 0n) | (entry.write ? Right.FD_WRITE : 0n)
            : entry.kind === "stdin"
              ? Right.FD_READ
              : Right.FD_WRITE;
      host.memory.slice(result, 24).fill(0);
      host.memory.setU8(result, type);
      host.memory.setU16((result >>> 0) + 2, entry.kind === "file" && entry.append ? FdFlag.APPEND : 0);
      host.memory.setU64((result >>> 0) + 8, rights);
      host.memory.setU64((result >>> 0) + 16, rights);
      return Errno.SUCCESS;
    },
    fd_fdstat_set_flags: (fd: number, flags: number) => {
      const entry = host.guest.descriptors.get(fd);
      if (entry.kind === "file") entry.append = (flags & FdFlag.APPEND) !== 0;
      return Errno.SUCCESS;
    },
    fd_prestat_get: (fd: number, result: number) => {
      const entry = host.guest.descriptors.get(fd);
      if (entry.kind !== "folder" || !entry.preopened) return Errno.BADF;
      host.memory.setU32(result, 0);
      host.memory.setU32((result >>> 0) + 4, 1);
      return Errno.SUCCESS;
    },
    fd_prestat_dir_name: (fd: number, pointer: number, length: number) => {
      const entry = host.guest.descriptors.get(fd);
      if (entry.kind !== "folder" || !entry.preopened) return Errno.BADF;
      if (length >>> 0 < 1) return Errno.NAMETOOLONG;
      host.memory.setU8(pointer, 0x2f);
      return Errno.SUCCESS;
    },
  };
}

function writeOutput(host: GuestAccess, stream: "stdout" | "stderr", buffers: Uint8Array[]): number {
  const { options } = host.guest;
  const output = host.guest[stream];
  let written = 0;
  for (const buffer of buffers) {
    output.write(buffer);
    written += buffer.length;
    if (output.total > options.outputStops[stream]) throw new GuestStop("output_limit", 1);
  }
  return written;
}

function readInto(buffers: Uint8Array[], source: Uint8Array, offset: number): number {
  let at = offset;
  for (const buffer of buffers) {
    const part = source.subarray(at, at + buffer.length);
    buffer.set(part);
    at += part.length;
    if (part.length < buffer.length) break;
  }
  return Math.max(0, at - offset);
}

/** A file offset as a number; EINVAL when it is negative or too large to be one. */
function position(offset: bigint): number {
  if (offset < 0n || offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new WasiError(Errno.INVAL);
  return Number(offset);
}
