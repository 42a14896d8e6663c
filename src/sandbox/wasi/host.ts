import { Errno, FdFlag, FileType, Right, WasiError } from "./abi";
import { VirtualClock } from "./clock";
import { Descriptors } from "./descriptors";
import { DEFAULT_FS_LIMITS, type FsLimits, MemoryFs } from "./fs";
import { GuestMemory } from "./memory";
import { CappedOutput } from "./output";
import { folderCalls } from "./paths";
import { Philox } from "./random";

/** One life of a guest: what it may read, and its limits. */
export interface GuestOptions {
  args: readonly string[];
  /** NAME=value. */
  environment: readonly string[];
  stdin: Uint8Array;
  /** Read-only files by absolute path. */
  files: ReadonlyMap<string, Uint8Array>;
  seed: string;
  maxOutputBytes: number;
  /** Bytes on one stream at which the guest is stopped. */
  stopAtBytes: number;
  /** Sleeping past this much virtual time stops the guest. */
  timeoutMs: number;
  fsLimits?: FsLimits;
}

/** Thrown through the guest's frames to end it: it can't be caught there, as the module has no exception handling. */
export class GuestStop extends Error {
  readonly reason: "exit" | "output_limit" | "timeout";
  readonly code: number;
  constructor(reason: "exit" | "output_limit" | "timeout", code: number) {
    super(`guest stop: ${reason} ${code}`);
    this.reason = reason;
    this.code = code;
  }
}

/** Everything the guest can reach; made anew for each life. */
export interface GuestState {
  options: GuestOptions;
  fs: MemoryFs;
  descriptors: Descriptors;
  clock: VirtualClock;
  entropy: Philox;
  stdout: CappedOutput;
  stderr: CappedOutput;
  stdinOffset: number;
}

export function newGuest(options: GuestOptions): GuestState {
  const fs = new MemoryFs(options.files, options.fsLimits ?? DEFAULT_FS_LIMITS);
  return {
    options,
    fs,
    descriptors: new Descriptors(fs),
    clock: new VirtualClock(),
    entropy: new Philox(options.seed, 0),
    stdout: new CappedOutput(options.maxOutputBytes),
    stderr: new CappedOutput(options.maxOutputBytes),
    stdinOffset: 0,
  };
}

/** What an import function of the guest may be given: i32 as number, i64 as bigint. */
export type GuestCall = (...args: never[]) => number;

/**
 * The imports of `wasi_snapshot_preview1`. There is no socket, no environment variable and no file of the host behind
 * them. An instance keeps its imports, so they look up the present guest on every call.
 */
export class WasiHost {
  #guest: GuestState | undefined;
  #memory: GuestMemory | undefined;
  /** Called before stdin is read; true means that the read is not to happen now. */
  onStdin: () => boolean = () => false;

  /** Starts a new life: no file, output, clock or descriptor of the one before remains. */
  begin(options: GuestOptions): GuestState {
    this.#guest = newGuest(options);
    return this.#guest;
  }

  attach(memory: WebAssembly.Memory): void {
    this.#memory = new GuestMemory(memory);
  }

  get guest(): GuestState {
    if (this.#guest === undefined) throw new Error("WasiHost: begin() was not called");
    return this.#guest;
  }

  get memory(): GuestMemory {
    if (this.#memory === undefined) throw new Error("WasiHost: attach() was not called");
    return this.#memory;
  }

  /** The import object for `new WebAssembly.Instance`. Functions of the interface that are missing here answer ENOSYS. */
  imports(module: WebAssembly.Module): WebAssembly.Imports {
    const calls: Record<string, GuestCall> = { ...this.#calls(), ...folderCalls(this) };
    const table: WebAssembly.ModuleImports = Object.create(null);
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      if (from !== "wasi_snapshot_preview1" || kind !== "function")
        throw new Error(`the wasm module imports ${from}.${name}, which the sandbox does not offer`);
      const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
      table[name] = call === undefined ? () => Errno.NOSYS : guarded(call);
    }
    return { wasi_snapshot_preview1: table };
  }

  #write(stream: "stdout" | "stderr", buffers: Uint8Array[]): number {
    const { options } = this.guest;
    const output = this.guest[stream];
    let written = 0;
    for (const buffer of buffers) {
      output.write(buffer);
      written += buffer.length;
      if (output.total > options.stopAtBytes) throw new GuestStop("output_limit", 1);
    }
    return written;
  }

  #read(buffers: Uint8Array[], source: Uint8Array, offset: number): number {
    let at = offset;
    for (const buffer of buffers) {
      const part = source.subarray(at, at + buffer.length);
      buffer.set(part);
      at += part.length;
      if (part.length < buffer.length) break;
    }
    return Math.max(0, at - offset);
  }

  #calls(): Record<string, GuestCall> {
    const refused = () => Errno.NOTSUP;
    return {
      args_sizes_get: (count: number, size: number) => this.#listSizes(this.guest.options.args, count, size),
      args_get: (pointers: number, buffer: number) => this.#list(this.guest.options.args, pointers, buffer),
      environ_sizes_get: (count: number, size: number) => this.#listSizes(this.guest.options.environment, count, size),
      environ_get: (pointers: number, buffer: number) => this.#list(this.guest.options.environment, pointers, buffer),
      clock_res_get: (clock: number, result: number) => {
        if (clock >>> 0 > 3) return Errno.INVAL;
        this.memory.setU64(result, 1000n);
        return Errno.SUCCESS;
      },
      clock_time_get: (clock: number, _precision: bigint, result: number) => {
        if (clock >>> 0 > 3) return Errno.INVAL;
        this.memory.setU64(result, this.guest.clock.read(clock));
        return Errno.SUCCESS;
      },
      random_get: (pointer: number, length: number) => {
        this.guest.entropy.fill(this.memory.slice(pointer, length));
        return Errno.SUCCESS;
      },
      proc_exit: (code: number) => {
        throw new GuestStop("exit", code);
      },
      sched_yield: () => Errno.SUCCESS,
      poll_oneoff: (subscriptions: number, events: number, count: number, result: number) =>
        this.#poll(subscriptions >>> 0, events >>> 0, count >>> 0, result),
      sock_accept: refused,
      sock_recv: refused,
      sock_send: refused,
      sock_shutdown: refused,
      fd_advise: (fd: number) => this.#known(fd),
      fd_sync: (fd: number) => this.#known(fd),
      fd_datasync: (fd: number) => this.#known(fd),
      fd_filestat_set_times: (fd: number) => this.#known(fd),
      fd_close: (fd: number) => {
        this.guest.descriptors.close(fd);
        return Errno.SUCCESS;
      },
      fd_read: (fd: number, vectors: number, count: number, result: number) => {
        const entry = this.guest.descriptors.get(fd);
        if (entry.kind === "stdin") {
          if (this.onStdin()) return Errno.SUCCESS;
          const read = this.#read(
            this.memory.vectors(vectors, count),
            this.guest.options.stdin,
            this.guest.stdinOffset,
          );
          this.guest.stdinOffset += read;
          this.memory.setU32(result, read);
          return Errno.SUCCESS;
        }
        const file = this.guest.descriptors.file(fd);
        if (!file.read) return Errno.BADF;
        const data = file.node.data.subarray(0, file.node.size);
        const read = this.#read(this.memory.vectors(vectors, count), data, file.offset);
        file.offset += read;
        this.memory.setU32(result, read);
        return Errno.SUCCESS;
      },
      fd_pread: (fd: number, vectors: number, count: number, offset: bigint, result: number) => {
        const file = this.guest.descriptors.file(fd);
        if (!file.read) return Errno.BADF;
        const data = file.node.data.subarray(0, file.node.size);
        this.memory.setU32(result, this.#read(this.memory.vectors(vectors, count), data, position(offset)));
        return Errno.SUCCESS;
      },
      fd_write: (fd: number, vectors: number, count: number, result: number) => {
        const entry = this.guest.descriptors.get(fd);
        const buffers = this.memory.vectors(vectors, count);
        if (entry.kind === "output") {
          this.memory.setU32(result, this.#write(entry.stream, buffers));
          return Errno.SUCCESS;
        }
        const file = this.guest.descriptors.file(fd);
        if (!file.write) return Errno.BADF;
        if (file.append) file.offset = file.node.size;
        let written = 0;
        for (const buffer of buffers) {
          this.guest.fs.write(file.node, file.offset, buffer);
          file.offset += buffer.length;
          written += buffer.length;
        }
        this.memory.setU32(result, written);
        return Errno.SUCCESS;
      },
      fd_pwrite: (fd: number, vectors: number, count: number, offset: bigint, result: number) => {
        const file = this.guest.descriptors.file(fd);
        if (!file.write) return Errno.BADF;
        let at = position(offset);
        const start = at;
        for (const buffer of this.memory.vectors(vectors, count)) {
          this.guest.fs.write(file.node, at, buffer);
          at += buffer.length;
        }
        this.memory.setU32(result, at - start);
        return Errno.SUCCESS;
      },
      fd_seek: (fd: number, delta: bigint, whence: number, result: number) => {
        const file = this.guest.descriptors.file(fd);
        if (whence >>> 0 > 2) return Errno.INVAL;
        const base = whence === 0 ? 0 : whence === 1 ? file.offset : file.node.size;
        file.offset = position(BigInt(base) + delta);
        this.memory.setU64(result, BigInt(file.offset));
        return Errno.SUCCESS;
      },
      fd_tell: (fd: number, result: number) => {
        this.memory.setU64(result, BigInt(this.guest.descriptors.file(fd).offset));
        return Errno.SUCCESS;
      },
      fd_allocate: (fd: number, offset: bigint, length: bigint) => {
        const file = this.guest.descriptors.file(fd);
        if (!file.write) return Errno.BADF;
        const size = position(offset + length);
        if (size > file.node.size) this.guest.fs.resize(file.node, size);
        return Errno.SUCCESS;
      },
      fd_filestat_set_size: (fd: number, size: bigint) => {
        const file = this.guest.descriptors.file(fd);
        if (!file.write) return Errno.BADF;
        this.guest.fs.resize(file.node, position(size));
        return Errno.SUCCESS;
      },
      fd_fdstat_get: (fd: number, result: number) => {
        const entry = this.guest.descriptors.get(fd);
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
        this.memory.slice(result, 24).fill(0);
        this.memory.setU8(result, type);
        this.memory.setU16((result >>> 0) + 2, entry.kind === "file" && entry.append ? FdFlag.APPEND : 0);
        this.memory.setU64((result >>> 0) + 8, rights);
        this.memory.setU64((result >>> 0) + 16, rights);
        return Errno.SUCCESS;
      },
      fd_fdstat_set_flags: (fd: number, flags: number) => {
        const entry = this.guest.descriptors.get(fd);
        if (entry.kind === "file") entry.append = (flags & FdFlag.APPEND) !== 0;
        return Errno.SUCCESS;
      },
      fd_prestat_get: (fd: number, result: number) => {
        const entry = this.guest.descriptors.get(fd);
        if (entry.kind !== "folder" || !entry.preopened) return Errno.BADF;
        this.memory.setU32(result, 0);
        this.memory.setU32((result >>> 0) + 4, 1);
        return Errno.SUCCESS;
      },
      fd_prestat_dir_name: (fd: number, pointer: number, length: number) => {
        const entry = this.guest.descriptors.get(fd);
        if (entry.kind !== "folder" || !entry.preopened) return Errno.BADF;
        if (length >>> 0 < 1) return Errno.NAMETOOLONG;
        this.memory.setU8(pointer, 0x2f);
        return Errno.SUCCESS;
      },
    };
  }

  #known(fd: number): number {
    this.guest.descriptors.get(fd);
    return Errno.SUCCESS;
  }

  #listSizes(texts: readonly string[], count: number, size: number): number {
    this.memory.setU32(count, texts.length);
    this.memory.setU32(
      size,
      texts.reduce((sum, text) => sum + new TextEncoder().encode(text).length + 1, 0),
    );
    return Errno.SUCCESS;
  }

  #list(texts: readonly string[], pointers: number, buffer: number): number {
    let at = buffer >>> 0;
    for (const [index, text] of texts.entries()) {
      const bytes = new TextEncoder().encode(`${text}\0`);
      this.memory.setU32((pointers >>> 0) + 4 * index, at);
      this.memory.slice(at, bytes.length).set(bytes);
      at += bytes.length;
    }
    return Errno.SUCCESS;
  }

  /** Files are always ready; a clock moves virtual time to its end and returns at once. */
  #poll(subscriptions: number, events: number, count: number, result: number): number {
    if (count === 0 || count > 1024) return Errno.INVAL;
    const { clock, options } = this.guest;
    const waits = Array.from({ length: count }, (_, index) => {
      const at = subscriptions + 48 * index;
      const type = this.memory.u8(at + 8);
      let delay = 0n;
      if (type === 0) {
        delay = this.memory.u64(at + 24);
        const absolute = (this.memory.u16(at + 40) & 1) !== 0;
        if (absolute) delay -= clock.peek(this.memory.u32(at + 16));
        if (delay < 0n) delay = 0n;
      }
      return { userdata: this.memory.u64(at), type, delay };
    });
    const first = waits.reduce((least, wait) => (wait.delay < least ? wait.delay : least), waits[0]?.delay ?? 0n);
    clock.advance(first);
    if (clock.elapsedMs > options.timeoutMs) throw new GuestStop("timeout", 1);
    const ready = waits.filter((wait) => wait.delay === first);
    for (const [index, wait] of ready.entries()) {
      const at = events + 32 * index;
      this.memory.slice(at, 32).fill(0);
      this.memory.setU64(at, wait.userdata);
      this.memory.setU8(at + 10, wait.type);
    }
    this.memory.setU32(result, ready.length);
    return Errno.SUCCESS;
  }
}

/** A file offset as a number; EINVAL when it is negative or too large to be one. */
function position(offset: bigint): number {
  if (offset < 0n || offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new WasiError(Errno.INVAL);
  return Number(offset);
}

/** Turns a refusal into its errno; anything else ends the guest. */
function guarded(call: GuestCall): (...args: never[]) => number {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      if (error instanceof WasiError) return error.errno;
      throw error;
    }
  };
}
