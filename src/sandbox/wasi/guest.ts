import { VirtualClock } from "./clock";
import { Descriptors } from "./descriptors";
import { DEFAULT_FS_LIMITS, type FsLimits, MemoryFs } from "./fs";
import type { GuestMemory } from "./memory";
import { CappedOutput } from "./output";
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
  /** Bytes on each stream at which the guest is stopped. */
  outputStops: { stdout: number; stderr: number };
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
export interface Guest {
  options: GuestOptions;
  fs: MemoryFs;
  descriptors: Descriptors;
  clock: VirtualClock;
  entropy: Philox;
  stdout: CappedOutput;
  stderr: CappedOutput;
  stdinOffset: number;
}

export function newGuest(options: GuestOptions): Guest {
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

/** What the import functions work on; the guest behind it changes from call to call. */
export interface GuestAccess {
  readonly guest: Guest;
  readonly memory: GuestMemory;
  /** Called before stdin is read; true means that the read is not to happen now. */
  onStdin: () => boolean;
}

/** Import functions by name: they take i32 as number and i64 as bigint, and return an errno or throw a WasiError. */
export type GuestCalls = Record<string, (...args: never[]) => number>;
